"""A real Apache Kafka of one node for the local cluster and the tests: fetched by Maven, formatted, run, stopped.

It is for one machine: its listeners are on the loopback address without encryption, and there is one copy of the data.
Anywhere else the broker is somebody's own, named in `kafka.bootstrap_servers`.
"""

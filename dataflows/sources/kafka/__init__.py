"""Kafka topics as a Bytewax source: one consumer over all partitions of a shard, merged by event time."""

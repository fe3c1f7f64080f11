"""Kafka topics as contracts: what each holds, how it is keyed and kept, and whether a broker's topics are so."""

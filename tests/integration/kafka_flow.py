"""A small flow over Kafka, run as a process that a test may kill: it numbers each key's messages and sends them on.

`python kafka_flow.py BROKER PREFIX RECOVERY` reads PREFIX.raw to what was there at the start, and writes
PREFIX.features, one message `number value` for each, so that the order and the state can be seen.
"""

import sys
import time
from datetime import timedelta
from pathlib import Path

import bytewax.operators as op
from bytewax.dataflow import Dataflow
from bytewax.recovery import RecoveryConfig, init_db_dir
from bytewax.run import cli_main

from dataflows.sinks.kafka import KafkaSink, OutgoingMessage
from dataflows.sources.kafka.reading import ReceivedMessage
from dataflows.sources.kafka.source import KafkaReading, KafkaSource
from sluice.config.kafka import KafkaSettings, TopicOverrides, TopicSettings
from sluice.config.settings import Settings
from sluice.topics.contracts import topic

PARTITIONS = 4


def numbered(count: int | None, received: ReceivedMessage) -> tuple[int, OutgoingMessage]:
    """Number a message and take long enough over it that a kill finds the flow at work."""
    time.sleep(0.001)
    count = (count or 0) + 1
    return count, OutgoingMessage(received.key, f"{count} ".encode() + received.value, received.event_time_ns)


def main(broker: str, prefix: str, recovery: Path) -> None:
    """Run to the end of what was there."""
    own = TopicOverrides(partitions=PARTITIONS, max_message_bytes=100_000)
    settings = Settings(topics=TopicSettings(prefix=prefix, raw=own, features=own))
    kafka = KafkaSettings(bootstrap_servers=(broker,))
    reading = KafkaReading((topic(settings, "raw"),), tuple(range(PARTITIONS)), prefix, follow=False, batch_messages=20)
    flow = Dataflow("kafka_flow")
    stream = op.input("in", flow, KafkaSource(kafka, reading))
    made = op.stateful_map("number", stream, numbered)
    op.output("out", made, KafkaSink(kafka, topic(settings, "features")))
    if not recovery.is_dir():
        recovery.mkdir()
        init_db_dir(recovery, 1)
    cli_main(flow, epoch_interval=timedelta(milliseconds=100), recovery_config=RecoveryConfig(recovery, timedelta(0)))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))

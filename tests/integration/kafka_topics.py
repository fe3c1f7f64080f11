"""Topics of a test's own on the tests' broker: two small ones, written and read as the flows do."""

import time
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from confluent_kafka import Consumer, Message, TopicPartition

from dataflows.sinks.kafka import KafkaSink, OutgoingMessage
from dataflows.sources.kafka.reading import ReceivedMessage
from dataflows.sources.kafka.source import KafkaReading, KafkaSource, KafkaSourcePartition
from sluice.broker.local import LocalBroker
from sluice.config.kafka import KafkaSettings, TopicOverrides, TopicSettings
from sluice.config.settings import Settings
from sluice.topics.administration import TopicAdministration
from sluice.topics.clients import admin_client, client_configuration
from sluice.topics.contracts import Topic, topic

PARTITIONS = 4
START_NS = time.time_ns() // 10**9 * 10**9
#: Keys that go to partitions 0 to 3 of 4.
KEYS = ("BINANCE_USDM:ETHUSDT", "BINANCE_COINM:ETHUSD_PERP", "BINANCE_COINM:BTCUSD_PERP", "BINANCE_USDM:BTCUSDT")


def kafka_settings(broker: LocalBroker, **changed: Any) -> KafkaSettings:
    return KafkaSettings(bootstrap_servers=(broker.bootstrap_servers,), request_timeout_s=10, **changed)


def made_topic(broker: LocalBroker, prefix: str, name: str = "raw", partitions: int = PARTITIONS) -> Topic:
    own = TopicSettings(prefix=prefix, **{name: TopicOverrides(partitions=partitions, max_message_bytes=100_000)})
    found = topic(Settings(topics=own), name)
    TopicAdministration(kafka_settings(broker)).create([found])
    return found


def with_partitions(found: Topic, partitions: int) -> Topic:
    return replace(found, contract=replace(found.contract, partitions=partitions))


def write(broker: LocalBroker, found: Topic, messages: Iterable[OutgoingMessage]) -> None:
    sink = KafkaSink(kafka_settings(broker), found).build_part("out", "raw", None)
    sink.write_batch(list(messages))
    sink.snapshot()
    sink.close()


def message(number: int, key: str, value: str = "") -> OutgoingMessage:
    return OutgoingMessage(key, (value or str(number)).encode(), START_NS + number * 1_000)


def delete_before(broker: LocalBroker, found: Topic, partition: int, offset: int) -> None:
    """Do to a partition what retention does."""
    client = admin_client(kafka_settings(broker))
    (deleted,) = client.delete_records([TopicPartition(found.full_name, partition, offset)]).values()
    deleted.result(20)


def stored(broker: LocalBroker, found: Topic) -> list[Message]:
    """What an ordinary consumer reads of a topic, partition by partition."""
    administration = TopicAdministration(kafka_settings(broker))
    count = administration.messages(administration.look([found]))[found.full_name]
    consumer = Consumer(client_configuration(kafka_settings(broker), {"group.id": "stored"}))
    consumer.assign([TopicPartition(found.full_name, part, 0) for part in range(found.contract.partitions)])
    read: list[Message] = []
    deadline = time.monotonic() + 30
    while len(read) < count and time.monotonic() < deadline:
        read += [each for each in consumer.consume(1000, 0.2) if each.error() is None]
    consumer.close()
    return sorted(read, key=lambda each: (each.partition() or 0, each.offset() or 0))


def source(broker: LocalBroker, topics: tuple[Topic, ...], **reading: Any) -> KafkaSource:
    options: dict[str, Any] = {"group": "test", "follow": False, **reading}
    return KafkaSource(kafka_settings(broker), KafkaReading(topics, tuple(range(PARTITIONS)), **options))


def read_until(part: KafkaSourcePartition, count: int, timeout_s: float = 30.0) -> list[ReceivedMessage]:
    """Read so many messages, or to the end, as Bytewax would."""
    found: list[ReceivedMessage] = []
    deadline = time.monotonic() + timeout_s
    while len(found) < count and time.monotonic() < deadline:
        try:
            found += [each for _, each in part.next_batch()]
        except StopIteration:
            break
        time.sleep(0.001)
    return found


def read_all(broker: LocalBroker, topics: tuple[Topic, ...], **reading: Any) -> list[ReceivedMessage]:
    part = source(broker, topics, **reading).build_part("in", "all", None)
    try:
        return read_until(part, 10**9)
    finally:
        part.close()

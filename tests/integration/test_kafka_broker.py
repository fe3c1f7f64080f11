"""The local broker: found where it was, with what it held, after a clean stop. The source's tests kill it."""

import time

import psutil
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import NewTopic

from sluice.broker.local import LocalBroker
from sluice.broker.node import prepare
from sluice.config.kafka import KafkaSettings
from sluice.errors import InputError
from sluice.topics.clients import admin_client, answers, client_configuration

pytestmark = [pytest.mark.needs("kafka")]


def settings(kafka: LocalBroker) -> KafkaSettings:
    return KafkaSettings(bootstrap_servers=(kafka.bootstrap_servers,))


def write(kafka: LocalBroker, value: bytes) -> None:
    producer = Producer(client_configuration(settings(kafka), {"acks": "all"}))
    producer.produce("broker.test", value, partition=0)
    assert producer.flush(20) == 0


def read(kafka: LocalBroker, count: int) -> list[bytes]:
    consumer = Consumer(client_configuration(settings(kafka), {"group.id": "broker.test"}))
    consumer.assign([TopicPartition("broker.test", 0, 0)])
    found: list[bytes] = []
    deadline = time.monotonic() + 20
    while len(found) < count and time.monotonic() < deadline:
        found += [message.value() or b"" for message in consumer.consume(count, 0.2) if message.error() is None]
    consumer.close()
    return found


def test_broker_keeps_what_it_has_acknowledged_through_a_clean_stop(kafka: LocalBroker) -> None:
    client = admin_client(settings(kafka))
    (made,) = client.create_topics([NewTopic("broker.test", 1, 1)]).values()
    assert made.result(20) is None
    write(kafka, b"before the stop")
    running = kafka.pid()
    with pytest.raises(InputError, match="must be free, and one is running in"):
        prepare(kafka.node.folder)
    kafka.stop()
    assert not psutil.pid_exists(running)
    assert not answers(kafka.bootstrap_servers)
    assert prepare(kafka.node.folder) == kafka.node
    kafka.start()
    write(kafka, b"after the stop")
    assert read(kafka, 2) == [b"before the stop", b"after the stop"]


def test_broker_logs_what_is_wrong_and_makes_no_topic_by_itself(kafka: LocalBroker) -> None:
    assert "WARN" in (kafka.node.folder / "kafka.log").read_text()
    client = admin_client(settings(kafka))
    client.list_topics("broker.misspelt", timeout=10)
    assert "broker.misspelt" not in client.list_topics(timeout=10).topics

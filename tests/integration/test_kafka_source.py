"""The source on a real broker: one order, exact positions, and a clear word where something is gone or away."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from prometheus_client import REGISTRY

from dataflows.sources.kafka import merging
from dataflows.sources.kafka.reading import ReceivedMessage
from dataflows.sources.kafka.source import KafkaSourcePartition
from sluice.broker.local import LocalBroker
from sluice.errors import InputError, NotFoundError, NotRunningError
from sluice.topics.clients import client_configuration
from sluice.topics.contracts import Topic
from tests.integration import kafka_flow
from tests.integration.kafka_topics import (
    KEYS,
    START_NS,
    delete_before,
    kafka_settings,
    made_topic,
    message,
    read_all,
    read_until,
    source,
    stored,
    write,
)

pytestmark = [pytest.mark.needs("kafka")]

COUNT = 400


def fill(kafka: LocalBroker, topic: Topic, numbers: range, seed: int = 1) -> list[str]:
    """Write messages whose event times go round the keys at random; each value is the number of its event time."""
    draw = random.Random(seed)
    write(kafka, topic, [message(number, draw.choice(KEYS)) for number in numbers])
    return [str(number) for number in numbers]


def values(found: object) -> list[str]:
    assert isinstance(found, list)
    return [each.value.decode() for each in found]


def test_partitions_and_topics_come_in_the_order_of_event_time_whatever_the_batch(kafka: LocalBroker) -> None:
    raw, executions = made_topic(kafka, "source.order"), made_topic(kafka, "source.order", "executions")
    fill(kafka, raw, range(0, COUNT, 2))
    fill(kafka, executions, range(1, COUNT, 2))
    wanted = [str(number) for number in range(COUNT)]
    for batch in (7, 1_000):
        found = read_all(kafka, (raw, executions), batch_messages=batch)
        assert values(found) == wanted
    assert {each.topic for each in found} == {"raw", "executions"}
    assert [each.event_time_ns for each in found] == [START_NS + number * 1_000 for number in range(COUNT)]


def test_reading_goes_on_from_a_snapshot_and_tells_the_consumer_group(kafka: LocalBroker) -> None:
    topic = made_topic(kafka, "source.resume")
    wanted = fill(kafka, topic, range(COUNT))
    reader = source(kafka, (topic,), batch_messages=30, group="source.resume")
    part = reader.build_part("in", "all", None)
    before = read_until(part, COUNT // 2)
    state = part.snapshot()
    part.close()

    part = reader.build_part("in", "all", state)
    assert values(before) + values(read_until(part, 10**9)) == wanted
    ended = part.snapshot()
    part.close()
    consumer = Consumer(client_configuration(kafka_settings(kafka), {"group.id": "source.resume"}))
    committed = consumer.committed([TopicPartition(topic.full_name, number) for number in range(4)], timeout=10)
    consumer.close()
    assert tuple((each.topic, each.partition, each.offset) for each in committed) == ended
    assert sum(offset for _, _, offset in ended) == COUNT


def test_reading_begins_at_a_time_and_at_the_end_where_nothing_is_newer(kafka: LocalBroker) -> None:
    topic = made_topic(kafka, "source.time")
    fill(kafka, topic, range(0, COUNT * 1_000, 1_000))  # a millisecond from one to the next
    found = read_all(kafka, (topic,), start_ns=START_NS + 250 * 1_000_000)
    assert values(found) == [str(number) for number in range(250_000, COUNT * 1_000, 1_000)]
    part = source(kafka, (topic,), start_ns=START_NS + 3_600 * 10**9).build_part("in", "all", None)
    assert sum(offset for _, _, offset in part.snapshot()) == COUNT
    part.close()


def test_partition_far_ahead_is_held_back_and_nothing_of_it_is_lost_or_doubled(
        kafka: LocalBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merging, "MOST_WAITING", 50)
    topic = made_topic(kafka, "source.ahead")
    write(kafka, topic, [message(number, KEYS[number >= 1_000]) for number in range(2_000)])
    part = source(kafka, (topic,), batch_messages=7).build_part("in", "all", None)
    found: list[ReceivedMessage] = []
    paused = False
    while more := read_until(part, 7):
        found += more
        paused = paused or any(lane.paused for lane in part._merger._lanes.values())
    part.close()
    assert values(found) == [str(number) for number in range(2_000)]
    assert paused


def test_message_of_a_stranger_is_read_with_what_it_has(kafka: LocalBroker) -> None:
    topic = made_topic(kafka, "source.stranger")
    producer = Producer(client_configuration(kafka_settings(kafka)))
    producer.produce(topic.full_name, None, b"\xff", partition=1, timestamp=START_NS // 1_000_000,
                     headers={"event_time_ns": b"-1"})
    assert producer.flush(20) == 0
    (found,) = read_all(kafka, (topic,))
    assert (found.key, found.value, found.event_time_ns) == ("\N{REPLACEMENT CHARACTER}", b"", START_NS)


def test_offset_that_is_not_there_is_named_with_what_is(kafka: LocalBroker) -> None:
    topic = made_topic(kafka, "source.gone")
    write(kafka, topic, [message(number, KEYS[2]) for number in range(10)])
    reader = source(kafka, (topic,))
    begun = tuple((topic.full_name, number, 0) for number in range(4))
    delete_before(kafka, topic, 2, 6)
    with pytest.raises(NotFoundError, match=r"partition 2 of source\.gone\.raw must hold offset 0, held 6 to 9"):
        reader.build_part("in", "all", begun)
    with pytest.raises(NotFoundError, match="must hold offset 3, was empty up to 0: the topic is not the one"):
        reader.build_part("in", "all", ((topic.full_name, 1, 3),))
    with pytest.raises(InputError, match="of this shard's partitions"):
        reader.build_part("in", "all", ((topic.full_name, 7, 0),))
    assert values(read_all(kafka, (topic,))) == ["6", "7", "8", "9"]


def test_offset_that_is_deleted_while_it_is_read_is_no_silent_jump(kafka: LocalBroker) -> None:
    topic = made_topic(kafka, "source.deleted")
    write(kafka, topic, [message(number, KEYS[2]) for number in range(10)])
    part = source(kafka, (topic,), follow=True).build_part("in", "all", None)
    assert len(read_until(part, 10)) == 10
    part._consumer.pause([TopicPartition(topic.full_name, 2)])  # as for one that is too far ahead
    write(kafka, topic, [message(number, KEYS[2]) for number in range(10, 20)])
    delete_before(kafka, topic, 2, 15)
    part._consumer.resume([TopicPartition(topic.full_name, 2)])
    with pytest.raises(NotFoundError, match="must hold offset 10, held 15 to 19: retention has deleted"):
        read_until(part, 1)
    part.close()


def test_broker_or_topic_that_is_not_there_at_the_start_is_told(kafka: LocalBroker) -> None:
    topic = made_topic(kafka, "source.start")
    reader = source(kafka, (topic,))
    reader.kafka = reader.kafka.model_copy(update={"bootstrap_servers": ("127.0.0.1:9",), "request_timeout_s": 1})
    with pytest.raises(NotRunningError, match=r"Kafka must answer at 127\.0\.0\.1:9 within 1 s"):
        reader.build_part("in", "all", None)
    with pytest.raises(NotFoundError, match=r"nowhere\.raw must be there"):
        source(kafka, (Topic("nowhere.raw", topic.contract, 1),)).build_part("in", "all", None)


def stalled() -> float:
    return REGISTRY.get_sample_value("sluice_kafka_stalled_seconds") or 0.0


def wait_until_stalled(part: KafkaSourcePartition) -> None:
    deadline = time.monotonic() + 20
    while stalled() == 0.0 and time.monotonic() < deadline:
        assert list(part.next_batch()) == []
        time.sleep(0.005)


def test_broker_that_is_killed_is_waited_for_and_has_lost_nothing(kafka: LocalBroker) -> None:
    topic = made_topic(kafka, "source.killed")
    wanted = fill(kafka, topic, range(100))
    part = source(kafka, (topic,), follow=True).build_part("in", "all", None)
    found = read_until(part, 100)
    before = kafka.pid()
    os.kill(before, signal.SIGKILL)
    wait_until_stalled(part)
    assert stalled() > 0
    assert part.next_awake() is not None
    kafka.wait_ready()
    wanted += fill(kafka, topic, range(100, 200))
    found += read_until(part, 100)
    deadline = time.monotonic() + 20
    while stalled() and time.monotonic() < deadline:
        list(part.next_batch())
    part.close()
    assert stalled() == 0
    assert kafka.pid() != before
    assert sorted(values(found), key=int) == wanted
    assert values(read_all(kafka, (topic,))) == wanted


def test_flow_that_is_killed_goes_on_with_the_same_numbers_in_the_same_order(
        kafka: LocalBroker, tmp_path: Path) -> None:
    raw, features = made_topic(kafka, "source.flow"), made_topic(kafka, "source.flow", "features")
    fill(kafka, raw, range(1_500))
    argv = [sys.executable, str(Path(kafka_flow.__file__)), kafka.bootstrap_servers, "source.flow",
            str(tmp_path / "recovery")]
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    watcher = Consumer(client_configuration(kafka_settings(kafka), {"group.id": "watcher"}))
    watcher.assign([TopicPartition(features.full_name, number, 0) for number in range(4)])
    seen = 0
    for enough in (200, 700):
        with subprocess.Popen(argv, env=environ, cwd=tmp_path, stderr=subprocess.DEVNULL) as process:
            while seen < enough and process.poll() is None:
                seen += len(watcher.consume(1_000, 0.05))
            process.kill()
        assert process.returncode == -signal.SIGKILL
    watcher.close()
    done = subprocess.run(argv, env=environ, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    draw = random.Random(1)
    wanted: dict[str, list[bytes]] = {key: [] for key in KEYS}
    for number in range(1_500):
        of_key = wanted[draw.choice(KEYS)]
        of_key.append(f"{len(of_key) + 1} {number}".encode())
    found: dict[str, list[bytes]] = {key: [] for key in KEYS}
    for each in stored(kafka, features):
        of_key = found[(each.key() or b"").decode()]
        value = each.value() or b""
        if value not in of_key:
            of_key.append(value)
    assert found == wanted

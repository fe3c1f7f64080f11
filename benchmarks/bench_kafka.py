"""What the Kafka source and sink cost a message, beside the bare client on the same broker in the same run.

Run it with `python -m benchmarks.bench_kafka`; without Java and Maven it says so and ends. A real broker of one node,
the writer and the reader share the machine. Latency is from the time at which a message was due to its receipt, so a
writer that falls behind is not flattered; the echo is a bare consumer on the same topic at the same rate.
"""

import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
from confluent_kafka import Consumer, Producer, TopicPartition

from dataflows.sinks.kafka import KafkaSink, OutgoingMessage
from dataflows.sources.kafka.reading import received
from dataflows.sources.kafka.source import KafkaReading, KafkaSource
from sluice.broker.local import local_broker
from sluice.config.kafka import KafkaSettings, TopicSettings
from sluice.config.settings import Settings
from sluice.topics.administration import TopicAdministration
from sluice.topics.clients import client_configuration
from sluice.topics.contracts import Topic, topic
from sluice.topics.partitioning import partition_of

MESSAGES: Final = 200_000
SIZES: Final = (200, 4_000)
RATES: Final = (500, 2_000)
SECONDS: Final = 5.0
BATCH: Final = 500
KEYS: Final = tuple(f"BINANCE_USDM:{number}USDT" for number in range(50))


def a_topic(kafka: KafkaSettings, prefix: str) -> Topic:
    """Make the topic `raw` under a prefix of its own."""
    found = topic(Settings(topics=TopicSettings(prefix=prefix)), "raw")
    TopicAdministration(kafka).create([found])
    return found


def write_bare(kafka: KafkaSettings, found: Topic, count: int, value: bytes) -> None:
    """Produce as fast as the client can, no headers, to the same partitions."""
    producer = Producer(client_configuration(kafka, {
        "enable.idempotence": True, "linger.ms": 1, "compression.type": "lz4"}))
    parts = [partition_of(key, found.contract.partitions) for key in KEYS]
    for number in range(count):
        while True:
            try:
                producer.produce(found.full_name, value, partition=parts[number % len(parts)])
                break
            except BufferError:
                producer.poll(0.01)
    producer.flush()


def write_by_sink(kafka: KafkaSettings, found: Topic, count: int, value: bytes) -> None:
    """Write in batches, as a flow does."""
    sink = KafkaSink(kafka, found).build_part("out", "raw", None)
    now_ns = time.time_ns()
    for start in range(0, count, BATCH):
        sink.write_batch([OutgoingMessage(KEYS[number % len(KEYS)], value, now_ns + number)
                          for number in range(start, start + BATCH)])
    sink.snapshot()
    sink.close()


def read_bare(kafka: KafkaSettings, found: Topic, count: int) -> None:
    """Consume as fast as the client can."""
    consumer = Consumer(client_configuration(kafka, {"group.id": "bench"}))
    consumer.assign([TopicPartition(found.full_name, part, 0) for part in range(found.contract.partitions)])
    while count > 0:
        count -= len(consumer.consume(10_000, 0.1))
    consumer.close()


def read_by_source(kafka: KafkaSettings, found: Topic, count: int) -> None:
    """Read, merged by event time."""
    reading = KafkaReading((found,), tuple(range(found.contract.partitions)), "bench", follow=False)
    part = KafkaSource(kafka, reading).build_part("in", "all", None)
    while count > 0:
        count -= len(list(part.next_batch()))
    part.close()


def rate(work: Callable[[], None], count: int) -> float:
    """Return messages a second."""
    begin = time.perf_counter()
    work()
    return count / (time.perf_counter() - begin)


def write_steadily(kafka: KafkaSettings, found: Topic, a_second: int) -> None:
    """Write messages when they are due, each with that time as its event time."""
    sink = KafkaSink(kafka, found).build_part("out", "raw", None)
    begin_ns = time.time_ns()
    for number in range(int(SECONDS * a_second)):
        due_ns = begin_ns + number * 10**9 // a_second
        while time.time_ns() < due_ns:
            time.sleep(0.0002)
            sink.write_batch([])
        sink.write_batch([OutgoingMessage(KEYS[number % len(KEYS)], bytes(200), due_ns)])
    sink.snapshot()
    sink.close()


def latencies_ms(kafka: KafkaSettings, found: Topic, a_second: int, *, bare: bool) -> np.ndarray:
    """Return how much later than due each message was read, once both sides have found their pace."""
    count, parts = int(SECONDS * a_second), tuple(range(found.contract.partitions))
    taken: list[float] = []
    if bare:
        consumer = Consumer(client_configuration(kafka, {"group.id": "bench", "auto.offset.reset": "earliest"}))
        consumer.assign([TopicPartition(found.full_name, part, 0) for part in parts])
        close = consumer.close
    else:
        reader = KafkaSource(kafka, KafkaReading((found,), parts, "bench")).build_part("in", "all", None)
        close = reader.close
    writer = threading.Thread(target=write_steadily, args=(kafka, found, a_second))
    writer.start()
    while len(taken) < count:
        events_ns = (
            [received(each, "raw").event_time_ns for each in consumer.consume(2_000, 0)] if bare else
            [each.event_time_ns for _, each in reader.next_batch()])
        now_ns = time.time_ns()
        taken += [(now_ns - event_ns) / 1e6 for event_ns in events_ns]
        time.sleep(0.001)  # as Bytewax rests between two activations
    writer.join()
    close()
    return np.array(taken[a_second:])


def measure(kafka: KafkaSettings) -> None:
    """Print every figure."""
    write_bare(kafka, a_topic(kafka, "warm"), MESSAGES, bytes(200))
    for size in SIZES:
        value, count = bytes(np.random.default_rng(1).integers(0, 64, size, np.uint8)), MESSAGES * 200 // size
        bare, ours = a_topic(kafka, f"bare{size}"), a_topic(kafka, f"ours{size}")
        rows = (("produce", lambda at=bare, n=count, v=value: write_bare(kafka, at, n, v)),
                ("sink", lambda at=ours, n=count, v=value: write_by_sink(kafka, at, n, v)),
                ("consume", lambda at=ours, n=count: read_bare(kafka, at, n)),
                ("source", lambda at=ours, n=count: read_by_source(kafka, at, n)))
        for name, work in rows:
            print(f"{name:8} {size:5} bytes {rate(work, count):12,.0f} messages/s")
    for a_second in RATES:
        for bare_reader in (True, False):
            name = "echo" if bare_reader else "source"
            found = a_topic(kafka, f"{name}{a_second}")
            p50, p99 = np.percentile(latencies_ms(kafka, found, a_second, bare=bare_reader), (50, 99))
            print(f"{name:8} {a_second:5} a second: p50 {p50:.1f} ms, p99 {p99:.1f} ms")


def main() -> None:
    """Start a broker and measure."""
    if not (shutil.which("java") and shutil.which("mvn")):
        print("needs Java and Maven, which this machine does not have")
        return
    with tempfile.TemporaryDirectory() as folder, local_broker(Path(folder)) as broker:
        measure(KafkaSettings(bootstrap_servers=(broker.bootstrap_servers,), request_timeout_s=30))


if __name__ == "__main__":
    main()

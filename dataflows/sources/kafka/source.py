"""Kafka topics as a Bytewax source: one consumer reads every partition of a shard, and one partition of Bytewax emits.

The resume state is the offset of the next message of each partition that has not been emitted. The same offsets go to a
consumer group at each snapshot, so that ordinary tools see the lag; they are never read back. An offset that is not
there any more is an error, never a silent jump. While a broker is away nothing comes, a metric says for how long, and
librdkafka tries again with growing pauses.
"""

import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from dataflows.metrics import KAFKA_COMMIT_FAILURES, KAFKA_CONSUMED, KAFKA_LAG, KAFKA_LATE
from dataflows.sources.kafka.merging import Merger, Place
from dataflows.sources.kafka.offsets import Held, Offsets, Part, gone
from dataflows.sources.kafka.reading import ReceivedMessage, Watch, received
from sluice.config.kafka import KafkaSettings
from sluice.errors import InputError, NotFoundError, SluiceError
from sluice.topics.clients import is_away
from sluice.topics.contracts import Topic
from sluice.topics.presence import require

#: (Full name of a topic, partition, offset of the next message), sorted.
KafkaState = tuple[tuple[str, int, int], ...]
Keyed = tuple[str, ReceivedMessage]

_LAG_EVERY_S: Final = 1.0
#: A source that sleeps longer holds up every other one of its flow.
_AWAY_POLL: Final = timedelta(milliseconds=10)


@dataclass(frozen=True, slots=True)
class KafkaReading:
    """What to read, and how. `topics` are in the order in which they come at the same event time.

    `partitions` are the shard's; a topic that has fewer is read as far as it goes. Without a snapshot reading begins at
    the millisecond of `start_ns` of event time, or with the first message. Where it does not `follow`, it ends at what
    was there at the start. `settle_ms` is how long a new message waits at the live end for others that should come
    before it.
    """

    topics: tuple[Topic, ...]
    partitions: tuple[int, ...]
    group: str
    shard: str = "all"
    start_ns: int | None = None
    follow: bool = True
    settle_ms: int = 0
    batch_messages: int = 2_000


class KafkaSourcePartition(StatefulSourcePartition[Keyed, KafkaState]):
    """Reads the shard's partitions in the order of the merge."""

    def __init__(self, source: "KafkaSource", state: KafkaState) -> None:
        """Begin where the state says. Raises SluiceError where broker, topics or offsets are not as they must be."""
        self._source, self._reading = source, source.reading
        ranks = {topic.full_name: rank for rank, topic in enumerate(self._reading.topics)}
        parts = [(topic.full_name, part) for topic in self._reading.topics for part in self._reading.partitions
                 if part < topic.contract.partitions]
        self._places: dict[Part, Place] = {part: Place(ranks[part[0]], part[1]) for part in parts}
        self._parts = {place: part for part, place in self._places.items()}
        self._watch = Watch()
        self._consumer: Consumer = self._watch.consumer(source.kafka, self._reading.group)
        self._committed: KafkaState = ()
        self._lag_due_s = 0.0
        self._idle = False
        try:
            self._merger = self._begin({(topic, part): offset for topic, part, offset in state})
        except SluiceError:
            self._consumer.close()
            raise

    def next_batch(self) -> Iterable[Keyed]:
        """Return what is next in order. Never blocks. Raises `StopIteration` at the end or where a stop was asked for.

        Raises SluiceError where an offset is gone or the broker refuses us.
        """
        if self._source.stop_requested or self._merger.finished:
            raise StopIteration
        now_s = time.monotonic()
        for message in self._consumer.consume(self._reading.batch_messages, 0):
            self._offer(message, now_s)
        self._hear_of_ends()
        self._hold_back()
        taken = self._take(now_s)
        self._watch.tell()
        self._idle = not taken
        return taken

    def next_awake(self) -> datetime | None:
        """Return when to look again: soon where a broker is away; None, which is a millisecond, else."""
        return datetime.now(UTC) + _AWAY_POLL if self._idle and self._watch.availability.is_away else None

    def snapshot(self) -> KafkaState:
        """Return the place after what was emitted, and tell it to the consumer group."""
        state = self._state()
        if state != self._committed and not self._watch.availability.is_away:
            self._committed = state
            try:
                self._consumer.commit(offsets=[TopicPartition(*each) for each in state], asynchronous=True)
            except KafkaException:
                KAFKA_COMMIT_FAILURES.inc()
        return state

    def close(self) -> None:
        """Leave the brokers."""
        self._consumer.close()

    def _begin(self, snapshot: Mapping[Part, int]) -> Merger[ReceivedMessage]:
        kafka = self._source.kafka
        require(self._consumer, kafka, self._reading.topics)
        if foreign := sorted(snapshot.keys() - self._places.keys()):
            raise InputError(f"a snapshot must be of this shard's partitions, was of {foreign[0]} too",
                             fix="start with the shards of the last run, or with an empty recovery folder")
        offsets = Offsets(self._consumer, kafka)
        held = offsets.held(list(self._places))
        starts = {**self._without_snapshot(offsets, held), **snapshot}
        for part, offset in starts.items():
            if not held[part].first <= offset <= held[part].end:
                raise gone(part, offset, held[part])
        self._consumer.assign([TopicPartition(*part, offset) for part, offset in starts.items()])
        until = None if self._reading.follow else {self._places[part]: each.end for part, each in held.items()}
        merger = Merger[ReceivedMessage]({self._places[part]: offset for part, offset in starts.items()}, until)
        for part, offset in starts.items():
            if offset == held[part].end:
                merger.ends_at(self._places[part], offset)
        return merger

    def _without_snapshot(self, offsets: Offsets, held: Mapping[Part, Held]) -> dict[Part, int]:
        if self._reading.start_ns is None:
            return {part: each.first for part, each in held.items()}
        return offsets.at(held, self._reading.start_ns)

    def _offer(self, message: Message, now_s: float) -> None:
        part = (message.topic() or "", message.partition() or 0)
        error = message.error()
        if error is None:
            found = received(message, self._reading.topics[self._places[part].rank].contract.name)
            self._merger.offer(self._places[part], found.offset, found.event_time_ns, len(message), found, now_s)
        elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001  # its public name
            self._merger.fetched_to(self._places[part], message.offset() or 0)
        elif not (is_away(error) or error.retriable()):
            raise self._ended_by(error, part)

    def _ended_by(self, error: KafkaError, part: Part) -> SluiceError:
        offset_is_gone = (KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE)  # noqa: SLF001  # its public name
        if error.code() in offset_is_gone:
            held = Offsets(self._consumer, self._source.kafka).held([part])[part]
            return gone(part, self._merger.fetching(self._places[part]), held)
        return NotFoundError(f"partition {part[1]} of {part[0]} must be readable, was not: {error.str()}",
                             fix="see `sluice topics check`")

    def _hear_of_ends(self) -> None:
        """Learn the ends of silent partitions from what came with the last fetch. Asks no broker."""
        for place in list(self._merger.silent()):
            _first, end = self._consumer.get_watermark_offsets(TopicPartition(*self._parts[place]), cached=True)
            if end >= 0:
                self._merger.ends_at(place, end)

    def _hold_back(self) -> None:
        """Fetch no more of a partition that is far ahead of the others."""
        if places := self._merger.to_pause():
            self._consumer.pause([TopicPartition(*self._parts[place]) for place in places])
        if places := self._merger.to_resume():
            self._consumer.resume([TopicPartition(*self._parts[place]) for place in places])

    def _take(self, now_s: float) -> list[Keyed]:
        late = self._merger.late
        taken = self._merger.take(self._reading.batch_messages, now_s - self._reading.settle_ms / 1e3)
        KAFKA_LATE.inc(self._merger.late - late)
        for topic, count in Counter(message.topic for message in taken).items():
            KAFKA_CONSUMED.labels(topic).inc(count)
        if now_s >= self._lag_due_s:
            self._lag_due_s = now_s + _LAG_EVERY_S
            self._tell_lag()
        return [(message.key, message) for message in taken]

    def _tell_lag(self) -> None:
        lags = dict.fromkeys((topic.full_name for topic in self._reading.topics), 0)
        for place, offset in self._merger.positions.items():
            part = self._parts[place]
            _first, end = self._consumer.get_watermark_offsets(TopicPartition(*part), cached=True)
            lags[part[0]] += max(end - offset, 0)
        for topic in self._reading.topics:
            KAFKA_LAG.labels(topic.contract.name).set(lags[topic.full_name])

    def _state(self) -> KafkaState:
        return tuple(sorted((*self._parts[place], offset) for place, offset in self._merger.positions.items()))


class KafkaSource(FixedPartitionedSource[Keyed, KafkaState]):
    """A shard of topics as one partition."""

    def __init__(self, kafka: KafkaSettings, reading: KafkaReading) -> None:
        self.kafka, self.reading = kafka, reading
        self.stop_requested = False

    def list_parts(self) -> list[str]:
        """Return the one partition's name, under which its offsets are kept."""
        return [self.reading.shard]

    def build_part(self, step_id: str, for_part: str, resume_state: KafkaState | None) -> KafkaSourcePartition:
        """Begin reading, where a snapshot left it or as configured."""
        return KafkaSourcePartition(self, resume_state or ())

    def request_stop(self) -> None:
        """End the stream at the next batch, so that a last snapshot is taken."""
        self.stop_requested = True

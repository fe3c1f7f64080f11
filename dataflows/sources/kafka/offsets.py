"""Where to begin and where to end in each partition: at a snapshot's offsets, at a time, at the first message."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple, TypeVar

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from sluice.clock import NS_PER_MS
from sluice.config.kafka import KafkaSettings
from sluice.errors import NotFoundError
from sluice.topics.clients import away

_RETRY_PAUSE_S: Final = 0.02
_NO_LEADER_YET: Final = frozenset({KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE})
Answer = TypeVar("Answer")

#: Full name of a topic, and a partition's number.
Part = tuple[str, int]


class Held(NamedTuple):
    """The offsets that a partition holds: from `first`, and before `end`."""

    first: int
    end: int


class Offsets:
    """Asks a broker about the offsets of partitions. Every call raises NotRunningError where it does not answer."""

    def __init__(self, consumer: Consumer, kafka: KafkaSettings) -> None:
        self._consumer, self._kafka = consumer, kafka

    def held(self, parts: Sequence[Part]) -> dict[Part, Held]:
        """Return what each partition holds now."""
        return {part: self._held(part) for part in parts}

    def at(self, held: Mapping[Part, Held], start_ns: int) -> dict[Part, int]:
        """Return the offset of each partition's first message of a time's millisecond or later; its end without any.

        Kafka's timestamps are whole milliseconds, rounded down by whoever wrote: within its millisecond nobody can ask.
        """
        wanted = [TopicPartition(topic, partition, start_ns // NS_PER_MS) for topic, partition in held]
        found = self._asked(lambda: self._consumer.offsets_for_times(wanted, timeout=self._kafka.request_timeout_s))
        return {part: each.offset if each.offset >= 0 else held[part].end
                for each in found for part in [(each.topic, each.partition)]}

    def _held(self, part: Part) -> Held:
        found = self._asked(lambda: self._consumer.get_watermark_offsets(
            TopicPartition(*part), timeout=self._kafka.request_timeout_s))
        if found is None:
            raise NotFoundError(f"partition {part[1]} of {part[0]} must be there, was not found",
                                fix="see `sluice topics check`")
        return Held(*found)

    def _asked(self, question: Callable[[], Answer]) -> Answer:
        """Return a broker's answer; it is asked again while it says that it will know soon."""
        deadline = time.monotonic() + self._kafka.request_timeout_s
        while True:
            try:
                return question()
            except KafkaException as error:
                # A topic that was just made, or moved, has no leader for a moment.
                if error.args[0].code() not in _NO_LEADER_YET or time.monotonic() > deadline:
                    raise away(self._kafka, error) from None
            time.sleep(_RETRY_PAUSE_S)


def gone(part: Part, offset: int, held: Held) -> NotFoundError:
    """Return the error for an offset that a partition does not hold."""
    topic, partition = part
    holds = f"held {held.first} to {held.end - 1}" if held.end > held.first else f"was empty up to {held.end}"
    why = "retention has deleted what comes next" if offset < held.first else "the topic is not the one that was read"
    return NotFoundError(
        f"partition {partition} of {topic} must hold offset {offset}, {holds}: {why}",
        fix="begin anew, with an empty recovery folder and outputs that may repeat or miss what lies between")

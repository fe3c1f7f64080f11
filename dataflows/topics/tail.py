"""What `sluice topics tail` prints: the messages of a topic, from where and as far as it was asked, as lines."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from dataflows.sources.kafka.reading import ReceivedMessage
from dataflows.sources.kafka.source import KafkaReading
from dataflows.topics.reading import batches
from dataflows.topics.showing import line_of
from dataflows.topics.times import nanoseconds_of
from sluice.config.settings import Settings
from sluice.errors import InputError
from sluice.topics.contracts import prefix, topic

#: No message is as late (the year 2116), so that each partition begins at its end; Kafka takes no later time.
_LATEST_NS: Final = 2**62


@dataclass(frozen=True, slots=True)
class Tail:
    """What to show: of a topic's short name, from `earliest`, `latest` or a time; None for all keys, for no limit."""

    topic: str
    begin: str = "earliest"
    follow: bool = False
    key: str | None = None
    limit: int | None = None


def lines(settings: Settings, wanted: Tail) -> Iterator[str]:
    """Yield blocks of lines as messages come. Raises SluiceError where broker, topic or time are not as they must be.

    A message that cannot be decoded is a line too.
    """
    found, left = topic(settings, wanted.topic), wanted.limit
    start_ns = _start_ns(wanted)
    reading = KafkaReading((found,), tuple(range(found.contract.partitions)), f"{prefix(settings)}.tail",
                           start_ns=start_ns, follow=wanted.follow)
    for messages in batches(settings.kafka, reading):
        shown = [each for each in messages if wanted.key in (None, each.key) and not _before(each, start_ns)][:left]
        if shown:
            yield "\n".join(line_of(message, found.contract) for message in shown)
        if left is not None and (left := left - len(shown)) == 0:
            return


def _before(message: ReceivedMessage, start_ns: int | None) -> bool:
    return start_ns is not None and start_ns != _LATEST_NS and message.event_time_ns < start_ns


def _start_ns(wanted: Tail) -> int | None:
    if wanted.begin == "earliest":
        return None
    if wanted.begin != "latest":
        return nanoseconds_of(wanted.begin)
    if not wanted.follow:
        raise InputError("--from latest must come with --follow, came without: there is nothing after the end",
                         fix="add --follow, or begin at a time")
    return _LATEST_NS

"""Tapes into the topic `raw`: every frame of a catalogued instrument, in the order of the merged tape.

A frame's sequence is its line of the merged tape, so that the same tapes written again are known for a repetition by
(instrument, receive time, sequence). What names no catalogued instrument has no key and is left out, counted.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Final

from dataflows.codecs.binance import symbol_of
from dataflows.deadletters import DeadLetterReason
from dataflows.sinks.kafka import KafkaSinkPartition, OutgoingMessage
from dataflows.tapes.frames import Frame
from dataflows.tapes.reader import Item, TapeReader
from dataflows.topics.frames import FrameMessages
from dataflows.topics.times import text_of
from sluice.cli.progress import Advance
from sluice.config.kafka import KafkaSettings
from sluice.errors import InputError
from sluice.instruments import InstrumentCatalog
from sluice.topics.administration import TopicAdministration
from sluice.topics.contracts import Topic

_HOUR_NS: Final = 3_600 * 1_000_000_000
_BATCH: Final = 256


@dataclass(slots=True)
class Written:
    """What went to the topic: frames by instrument, messages, and lines that were left out by reason."""

    frames: Counter[str] = field(default_factory=Counter)
    messages: int = 0
    left_out: Counter[str] = field(default_factory=Counter)


def write_tapes(
    kafka: KafkaSettings, topic: Topic, catalog: InstrumentCatalog, tapes: Sequence[Path], *, now_ns: int,
    advance: Advance
) -> Written:
    """Write tapes to a topic and return when every message is on the broker.

    Raises SluiceError where tape, broker or topic are not as they must be, and InputError, before anything is written,
    where the topic's retention would delete what is so old.
    """
    written = Written()
    reading = _Reading(tapes, advance, written)
    items = iter(reading.reader)
    head = list(_until_frame(items))
    if head and isinstance(head[-1], Frame):
        _require_kept(kafka, topic, head[-1].receive_time_ns, now_ns)
    sink = KafkaSinkPartition(kafka, topic)
    try:
        for some in _some(_messages(chain(head, items), catalog, topic, written)):
            written.messages += len(some)
            sink.write_batch(some)
        sink.snapshot()
    finally:
        sink.close()
    return written


def _until_frame(items: Iterator[Item]) -> Iterator[Item]:
    for item in items:
        yield item
        if isinstance(item, Frame):
            return


class _Reading:
    """Reads tapes and says how far it is."""

    def __init__(self, tapes: Sequence[Path], advance: Advance, written: Written) -> None:
        self.reader = TapeReader(tapes, on_read=self._on_read)
        self._size = sum(path.stat().st_size for path in self.reader.tapes) or 1
        self._read = 0
        self._advance, self._written = advance, written

    def _on_read(self, count: int) -> None:
        self._read += count
        self._advance(self._read / self._size, f"{self._written.frames.total():,} frames")


def _messages(
    items: Iterator[Item], catalog: InstrumentCatalog, topic: Topic, written: Written
) -> Iterator[OutgoingMessage]:
    gathered = FrameMessages(topic.contract.max_message_bytes)
    for item in items:
        if not isinstance(item, Frame):
            written.left_out[item.reason.name] += 1
            continue
        instrument = catalog.by_symbol(symbol_of(item.payload, item.symbol_hint) or "")
        if instrument is None:
            written.left_out[DeadLetterReason.UNKNOWN_INSTRUMENT.name] += 1
            continue
        yield from gathered.add(item, instrument)
        written.frames[instrument.key] += 1
    yield from gathered.rest()


def _some(messages: Iterator[OutgoingMessage]) -> Iterator[list[OutgoingMessage]]:
    gathered: list[OutgoingMessage] = []
    for message in messages:
        gathered.append(message)
        if len(gathered) == _BATCH:
            yield gathered
            gathered = []
    if gathered:
        yield gathered


def _require_kept(kafka: KafkaSettings, topic: Topic, first_ns: int, now_ns: int) -> None:
    """Raise InputError where the topic, as the broker has it, does not keep what is as old as this."""
    found = TopicAdministration(kafka).look([topic]).get(topic.full_name)
    kept_ms = int(found.configuration.get("retention.ms", -1)) if found else -1  # the sink tells of a missing topic
    if kept_ms < 0 or now_ns - first_ns < kept_ms * 1_000_000:
        return
    hours = (now_ns - first_ns) // _HOUR_NS + 2 * 24
    raise InputError(
        f"a tape must be younger than {topic.full_name} keeps, which is {kept_ms / 3_600_000:,.0f} h, began "
        f"{text_of(first_ns)}: what is older is deleted within minutes",
        fix=f"set topics.raw.retention_hours to {hours} or more under another topics.prefix, run "
            "`sluice topics create` and write there")

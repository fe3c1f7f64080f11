"""An interval of the topic `raw` as tapes, a file an instrument: the lines that were received, byte for byte.

A repetition (an instrument's frame whose receive time and sequence are not after those of the frame before it) is left
out, and so is a message that cannot be decoded; both are counted.
"""

from collections import Counter
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from dataflows.sources.kafka.reading import ReceivedMessage
from dataflows.sources.kafka.source import KafkaReading
from dataflows.tapes.writer import TapeWriter
from dataflows.topics.frames import LONGEST_SPAN_NS
from dataflows.topics.reading import batches
from dataflows.topics.showing import decoded
from sluice.cli.progress import Advance
from sluice.config.kafka import KafkaSettings
from sluice.errors import InputError
from sluice.market.v1 import market_pb2
from sluice.topics.contracts import Contract, Topic
from sluice.topics.headers import check

_END_OF_TIME: Final = 2**63 - 1
_NEVER: Final = (-1, -1)


@dataclass(slots=True)
class Taken:
    """What was written: frames by file, repetitions, and messages that could not be decoded."""

    files: Counter[Path] = field(default_factory=Counter)
    repeated: int = 0
    undecodable: int = 0


@dataclass(frozen=True, slots=True)
class Interval:
    """Receive times from `start_ns` to before `end_ns`; of all instruments where none is named."""

    start_ns: int = 0
    end_ns: int = _END_OF_TIME
    instruments: tuple[str, ...] = ()


def write_interval(
    kafka: KafkaSettings, topic: Topic, interval: Interval, folder: Path, *, group: str, total: int, advance: Advance
) -> Taken:
    """Write what a topic holds of an interval into a folder, which is made where it is missing.

    `total` is about how many messages the topic holds, to say how far this is. Raises SluiceError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    taken, read = Taken(), 0
    reading = KafkaReading((topic,), tuple(range(topic.contract.partitions)), group,
                           start_ns=interval.start_ns, follow=False)
    with ExitStack() as stack:
        tapes = _Tapes(folder, stack, taken)
        for messages in batches(kafka, reading):
            for message in messages:
                _take(message, topic.contract, interval, tapes)
            read += len(messages)
            advance(read / max(total, read), f"{taken.files.total():,} frames")
            if messages[-1].event_time_ns - interval.end_ns >= LONGEST_SPAN_NS:
                break
    return taken


class _Tapes:
    """The tape of each instrument, made when its first frame comes and named by it."""

    def __init__(self, folder: Path, stack: ExitStack, taken: Taken) -> None:
        self._folder, self._stack = folder, stack
        self._writers: dict[str, TapeWriter] = {}
        self._last: dict[str, tuple[int, int]] = {}
        self.taken = taken

    def write(self, key: str, frames: Iterable[market_pb2.RawFrame]) -> None:
        """Append an instrument's frames; those that were there before are left out."""
        last = self._last.get(key, _NEVER)
        for frame in frames:
            place = (frame.receive_time_ns, frame.sequence)
            # A tape's line is one line: a line feed of the JSON is blank space, as `sluice record` writes it.
            payload = frame.payload.replace(b"\n", b" ")
            if place <= last or not payload:
                self.taken.repeated += 1
                continue
            last = place
            writer = self._writers.get(key) or self._opened(key, frame.receive_time_ns)
            writer.write(frame.receive_time_ns, payload)
            self.taken.files[writer.path] += 1
        self._last[key] = last

    def _opened(self, key: str, time_ns: int) -> TapeWriter:
        began = datetime.fromtimestamp(time_ns / 1e9, UTC).strftime("%Y%m%dT%H%M%S%f")
        path = self._folder / f"{key.replace(':', '_').replace('/', '_').lower()}_{began}.gz"
        writer = self._stack.enter_context(TapeWriter(path))
        self._writers[key] = writer
        return writer


def _take(message: ReceivedMessage, contract: Contract, interval: Interval, tapes: _Tapes) -> None:
    if interval.instruments and message.key not in interval.instruments:
        return
    try:
        check(message.headers, contract)
        frames = decoded(message.value, contract)
    except InputError:
        tapes.taken.undecodable += 1
        return
    assert isinstance(frames, market_pb2.RawFrames)
    tapes.write(frames.instrument, (frame for frame in frames.frames
                                    if interval.start_ns <= frame.receive_time_ns < interval.end_ns))

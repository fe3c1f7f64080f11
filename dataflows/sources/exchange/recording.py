"""Recording what a feed receives as tapes, a file an instrument, so that a run can be repeated from them.

A file an instrument, because a depth snapshot of USD-M names no symbol: a tape gives it that of its other frames. What
belongs to no instrument is recorded too, in a file of its own. Holes of the stream are counted, not recorded.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from dataflows.codecs.binance import symbol_of
from dataflows.deadletters import DeadLetter
from dataflows.sources.exchange.handoff import FeedEnd, Handoff, Item
from dataflows.tapes.frames import Frame
from dataflows.tapes.writer import TapeWriter
from sluice.instruments import InstrumentCatalog

UNROUTED = "unrouted"
_BATCH = 5_000


@dataclass(frozen=True, slots=True)
class Recording:
    """What was recorded: frames by file, and how often the stream had a hole."""

    files: Mapping[Path, int]
    gaps: int


class Recorder:
    """Writes frames into the tapes of a folder. Use it as a context manager."""

    def __init__(self, folder: Path, catalog: InstrumentCatalog) -> None:
        """The folder is made where it is missing. Files are named by instrument and the time of their first frame."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._names = {found.symbol: found.key.replace(":", "_").lower() for found in catalog}
        self._writers: dict[str, TapeWriter] = {}
        self._frames = Counter[Path]()
        self._stack = ExitStack()
        self.gaps = 0

    def __enter__(self) -> "Recorder":
        """Return the recorder."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close every file."""
        self._stack.close()

    def write(self, frame: Frame) -> None:
        """Append a frame to its instrument's tape. One without any bytes leaves nothing to record."""
        payload = frame.payload.replace(b"\n", b" ")
        if not payload:
            return
        name = self._names.get(symbol_of(payload, frame.symbol_hint) or "", UNROUTED)
        writer = self._writers.get(name) or self._opened(name, frame.receive_time_ns)
        writer.write(frame.receive_time_ns, payload)
        self._frames[writer.path] += 1

    @property
    def written(self) -> int:
        """Return the number of frames so far."""
        return self._frames.total()

    def recording(self) -> Recording:
        """Return what has been recorded so far."""
        return Recording(dict(self._frames), self.gaps)

    def _opened(self, name: str, time_ns: int) -> TapeWriter:
        began = datetime.fromtimestamp(time_ns / 1e9, UTC).strftime("%Y%m%dT%H%M%S%f")
        writer = self._stack.enter_context(TapeWriter(self._folder / f"{name}_{began}.gz"))
        self._writers[name] = writer
        return writer


def record(handoff: Handoff, recorder: Recorder, over: Callable[[int], bool], wait: Callable[[], None]) -> None:
    """Record what comes until `over`, which is told the time in nanoseconds; `wait` is called where nothing came.

    Raises whatever the feed failed with.
    """
    while True:
        items, now_ns = handoff.take(_BATCH)
        if _ended(items, recorder) or over(now_ns):
            return
        if not items:
            wait()


def _ended(items: list[Item], recorder: Recorder) -> bool:
    for item in items:
        if isinstance(item, Frame):
            recorder.write(item)
        elif isinstance(item, DeadLetter):
            recorder.gaps += 1
        elif isinstance(item, FeedEnd):
            if item.failure is not None:
                raise item.failure
            return True
    return False

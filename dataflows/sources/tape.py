"""A tape as a Bytewax source: frames keyed by instrument, with the ticks of event time between them.

One partition reads the merged tape, so the order of events is the tape's whatever the batch size. The resume state is
the number of lines emitted and the place on the tick grid. Nothing is decoded here: a frame is routed by the symbol in
its bytes, and a line that cannot be routed is a dead letter.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition

from dataflows.codecs.binance import Rejection, symbol_of, unroutable
from dataflows.deadletters import DeadLetter, DeadLetterReason
from dataflows.tapes.frames import Frame
from dataflows.tapes.reader import TapeReader
from dataflows.ticks import Tick, TickGrid
from sluice.instruments import InstrumentCatalog

#: Key under which dead letters travel: they belong to no actor.
DEAD_LETTERS = "dead-letters"

#: An instrument's key with a frame or tick of it, or `DEAD_LETTERS` with a dead letter.
MarketInput = tuple[str, Frame | Tick | DeadLetter]
#: What a source emits: a key for Bytewax and, as a step is not told its key, the key once more with the value.
Routed = tuple[str, MarketInput]


class TapeState(NamedTuple):
    """Where a partition stands: everything needed to go on from exactly here."""

    lines: int = 0
    next_tick_ns: int = 0
    dead_letters: tuple[tuple[str, int], ...] = ()
    last_time_ns: int = 0
    ended: bool = False


class Router:
    """Turns lines of a tape into routed items: frames to their instrument, ticks to every instrument."""

    def __init__(self, catalog: InstrumentCatalog, interval_ns: int, state: TapeState) -> None:
        self._keys = {instrument.symbol: instrument.key for instrument in catalog}
        self._instruments = tuple(instrument.key for instrument in catalog)
        self._grid = TickGrid(interval_ns, state.next_tick_ns)
        self._dead_letters = Counter(dict(state.dead_letters))
        self._lines = state.lines
        self._last_time_ns = state.last_time_ns
        self._ended = state.ended

    def route(self, item: Frame | DeadLetter) -> Iterator[Routed]:
        """Yield what one line of the tape becomes, the ticks before it first."""
        if isinstance(item, DeadLetter):
            self._lines += item.sequence > 0
            yield self._dead(item)
            return
        for tick_ns in self._grid.due(item.receive_time_ns):
            yield from self._ticks(tick_ns, last=False)
        self._lines += 1
        self._last_time_ns = item.receive_time_ns
        symbol = symbol_of(item.payload, item.symbol_hint)
        key = self._keys.get(symbol) if symbol else None
        yield (key, (key, item)) if key else self._dead(_unroutable(item, symbol))

    def silence(self, until_ns: int) -> Iterator[Routed]:
        """Yield the ticks up to a time before which every frame has been routed. None come before the first frame."""
        if self._grid.next_ns == 0:
            return
        for tick_ns in self._grid.due(until_ns):
            yield from self._ticks(tick_ns, last=False)

    def end(self) -> Iterator[Routed]:
        """Yield the tick that closes the tape: decisions end there and open orders are cancelled."""
        self._ended = True
        yield from self._ticks(self._grid.closing() or 1, last=True)

    def state(self) -> TapeState:
        """Return where the router stands after what it has yielded."""
        return TapeState(self._lines, self._grid.next_ns, self._counted(), self._last_time_ns, self._ended)

    def _ticks(self, tick_ns: int, *, last: bool) -> Iterator[Routed]:
        tick = Tick(tick_ns, self._lines, self._counted(), last)
        for key in self._instruments:
            yield key, (key, tick)

    def _dead(self, letter: DeadLetter) -> Routed:
        self._dead_letters[letter.reason.name] += 1
        return DEAD_LETTERS, (DEAD_LETTERS, letter)

    def _counted(self) -> tuple[tuple[str, int], ...]:
        return tuple(sorted(self._dead_letters.items()))


def _unroutable(frame: Frame, symbol: str | None) -> DeadLetter:
    rejection = unroutable(frame.payload) if not symbol else Rejection(
        DeadLetterReason.UNKNOWN_INSTRUMENT, f"symbol must be a configured instrument, was {symbol!r}")
    return DeadLetter(rejection.reason, rejection.message, frame.sequence, frame.receive_time_ns, frame.payload)


class TapePartition(StatefulSourcePartition[Routed, TapeState]):
    """Reads a merged tape from where a snapshot stood. `stop_requested` ends it early, with a snapshot taken."""

    def __init__(self, source: "TapeSource", state: TapeState) -> None:
        self._source = source
        self._router = Router(source.catalog, source.interval_ns, state)
        self._reader = TapeReader(source.tapes)
        told = dict(state.dead_letters).get(DeadLetterReason.TRUNCATED_FILE.name, 0)
        self._reader.skip(state.lines, truncations=told)
        self._lines = iter(self._reader)
        self._finished = state.ended

    def next_batch(self) -> Iterable[Routed]:
        """Return what the next lines become. Raises `StopIteration` at the end or where a stop was asked for."""
        if self._finished or self._source.stop_requested:
            raise StopIteration
        batch: list[Routed] = []
        for _ in range(self._source.batch_lines):
            if (item := next(self._lines, None)) is None:
                self._finished = True
                batch.extend(self._router.end())
                break
            batch.extend(self._router.route(item))
        return batch

    def next_awake(self) -> datetime | None:
        """Return None: a tape is read as fast as it is processed."""
        return None

    def snapshot(self) -> TapeState:
        """Return the place after what was emitted."""
        return self._router.state()


class TapeSource(FixedPartitionedSource[Routed, TapeState]):
    """Tape files or folders, merged by receive time, as one partition."""

    def __init__(
        self, tapes: Sequence[Path], catalog: InstrumentCatalog, *, interval_ns: int, batch_lines: int = 500
    ) -> None:
        self.tapes = tuple(tapes)
        self.catalog = catalog
        self.interval_ns = interval_ns
        self.batch_lines = batch_lines
        self.stop_requested = False

    def list_parts(self) -> list[str]:
        """Return the one partition's name."""
        return ["tape"]

    def build_part(self, step_id: str, for_part: str, resume_state: TapeState | None) -> TapePartition:
        """Open the tape, at the start or where a snapshot left it."""
        return TapePartition(self, TapeState(*resume_state) if resume_state else TapeState())

    def request_stop(self) -> None:
        """End the stream at the next batch, so that a last snapshot is taken."""
        self.stop_requested = True

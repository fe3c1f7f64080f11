"""Where a served exchange's market comes from: tapes, or a synthetic market that is made while it runs, without end."""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Protocol

from backtest.exchange.serving.left_out import LeftOut
from backtest.exchange.streams.recorded import recorded
from backtest.synthetic.frames import SymbolFrames, TimedFrame
from backtest.synthetic.market import Log, SymbolMarket, empty_log, open_market
from backtest.synthetic.parameters import STEP_NS, MarketParameters, SymbolParameters
from backtest.synthetic.paths import CommonState, Paths
from backtest.synthetic.simulation import simulate
from dataflows.tapes.frames import Frame
from dataflows.tapes.reader import TapeReader
from sluice.errors import InputError

#: Frames at a tape's head that tell which events it holds.
LOOK_AHEAD_FRAMES = 20_000
#: Bytes that are decompressed in one go: small, because requests wait meanwhile.
BLOCK_BYTES = 64 * 1024
#: Chunks are shorter than a recorded tape's: 0.1 s, so that making one never takes long.
_LIVE_STEPS = 20
_SNAPSHOT_AFTER_STEPS = 80
_SNAPSHOT_EVERY_NS = 600_000_000_000


class MarketInput(Protocol):
    """A market as frames in the order of their receive times."""

    @property
    def name(self) -> str:
        """What it is called in messages and in the journal."""
        ...

    def frames(self) -> Iterator[Frame]:
        """Yield the frames, each time from the beginning."""
        ...


class TapeInput:
    """The frames of tapes; dead letters are left out, their line numbers stay."""

    def __init__(self, paths: Sequence[Path]) -> None:
        """Find the tapes. Raises as `TapeReader` does, and `InputError` where they hold no frame."""
        self._paths = tuple(paths)
        self.tapes = TapeReader(paths).tapes
        self.name = ", ".join(path.name for path in self.tapes)
        self.left_out: LeftOut | None = None

    def reader(self, after_line: int = 0) -> TapeReader:
        """Return a reader of its own that starts after a line."""
        reader = TapeReader(self._paths, block_bytes=BLOCK_BYTES)
        reader.skip(after_line)
        return reader

    def frames(self) -> Iterator[Frame]:
        """Yield the frames of all tapes, merged; `left_out`, where it is set, counts what no stream can carry."""
        if self.left_out is not None:
            return self.left_out.frames(self.reader())
        return (item for item in self.reader() if isinstance(item, Frame))


class SyntheticInput:
    """A seeded market that begins at a time and never ends."""

    def __init__(self, symbols: Sequence[SymbolParameters], seed: int, start_ns: int, pressure_drift: float) -> None:
        self._market = MarketParameters(tuple(symbols), seed, start_ns, 1.0, pressure_drift)
        self.name = f"synthetic market, seed {seed}"

    def frames(self) -> Iterator[Frame]:
        """Yield its frames; chunk by chunk, so that memory stays the same."""
        common, log = CommonState(self._market), empty_log()
        symbols = [_Symbol(symbol, self._market) for symbol in self._market.symbols]
        waiting: list[tuple[int, int, str, str]] = []
        done = sequence = 0
        while True:
            paths, start_ns = common.advance(_LIVE_STEPS), self._market.start_ns + done * STEP_NS
            done += _LIVE_STEPS
            for index, symbol in enumerate(symbols):
                waiting += [(time, index, payload, symbol.name) for time, payload in
                            symbol.advance(paths, start_ns, log)]
            waiting.sort(key=lambda frame: frame[:2])
            end_ns = start_ns + _LIVE_STEPS * STEP_NS
            ready = [frame for frame in waiting if frame[0] < end_ns]
            waiting = waiting[len(ready) :]
            for time, _, payload, name in ready:
                sequence += 1
                yield Frame(sequence, time, payload.encode(), name)


class _Symbol:
    """One symbol of a synthetic market."""

    def __init__(self, symbol: SymbolParameters, market: MarketParameters) -> None:
        self.name = symbol.symbol
        self._state: SymbolMarket = open_market(symbol, market)
        self._frames = SymbolFrames(symbol, self._state, market.seed)
        self._next_snapshot_ns = market.start_ns + _SNAPSHOT_AFTER_STEPS * STEP_NS

    def advance(self, paths: Paths, start_ns: int, log: Log) -> list[TimedFrame]:
        """Simulate a chunk and return its frames."""
        end_ns = start_ns + len(paths.regime) * STEP_NS
        simulate(self._state, paths, start_ns, log)
        frames = list(self._frames.of(log, end_ns))
        if end_ns >= self._next_snapshot_ns:
            frames.append(self._frames.snapshot(self._state, end_ns))
            self._next_snapshot_ns = end_ns + _SNAPSHOT_EVERY_NS
        return frames


def first_time_ns(market: MarketInput) -> int:
    """Return the receive time of a market's first frame. Raises `InputError` where there is none."""
    for frame in market.frames():
        return frame.receive_time_ns
    raise InputError(f"a tape must hold at least one frame, was {market.name!r} without any")


def native_events(market: MarketInput) -> set[tuple[str, str]]:
    """Return which (event, symbol) pairs the head of a market holds."""
    events = (recorded(frame) for frame in islice(market.frames(), LOOK_AHEAD_FRAMES))
    return {(event.event, event.symbol) for event in events if event}

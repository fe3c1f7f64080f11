"""Making a synthetic tape: the market's hidden state, each symbol's simulation, and a file of frames for each symbol.

It works in chunks of two seconds, so a tape of any length needs the same memory. Nothing depends on the wall clock or
on which other symbols are made: the same seed and parameters always give the same frames.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from backtest.synthetic.frames import SymbolFrames, TimedFrame
from backtest.synthetic.market import Log, SymbolMarket, empty_log, open_market
from backtest.synthetic.parameters import CHUNK_STEPS, STEP_NS, MarketParameters, SymbolParameters
from backtest.synthetic.paths import CommonState, Paths
from backtest.synthetic.simulation import simulate
from dataflows.tapes.writer import TapeWriter

#: Steps of the first chunk: the recorder asks for its first snapshot 0.4 s after the streams are open.
_SNAPSHOT_AFTER_STEPS = 80
#: Time from one snapshot to the next: recorders take a fresh one now and then, so that a reader may join anywhere.
SNAPSHOT_EVERY_NS = 600_000_000_000

Progress = Callable[[float], None]


class SymbolRecorder:
    """Simulates one symbol and writes its frames, in order of receive time, into a tape."""

    def __init__(self, symbol: SymbolParameters, market: MarketParameters, path: Path) -> None:
        self._state: SymbolMarket = open_market(symbol, market)
        self._frames = SymbolFrames(symbol, self._state, market.seed)
        self._waiting: list[TimedFrame] = []
        self._next_snapshot_ns = market.start_ns
        self._writer = TapeWriter(path)

    def record(self, paths: Paths, start_ns: int, log: Log) -> None:
        """Simulate a chunk and write every frame that nothing later can come before."""
        end_ns = start_ns + len(paths.regime) * STEP_NS
        simulate(self._state, paths, start_ns, log)
        self._waiting.extend(self._frames.of(log, end_ns))
        if end_ns >= self._next_snapshot_ns:
            self._waiting.append(self._frames.snapshot(self._state, end_ns))
            self._next_snapshot_ns = end_ns + SNAPSHOT_EVERY_NS
        self._write(end_ns)

    def close(self) -> None:
        """Write what is left and close the tape."""
        self._write(2**63)
        self._writer.close()

    def _write(self, before_ns: int) -> None:
        self._waiting.sort(key=lambda frame: frame[0])
        ready = [frame for frame in self._waiting if frame[0] < before_ns]
        self._waiting = self._waiting[len(ready) :]
        for receive_time_ns, payload in ready:
            self._writer.write(receive_time_ns, payload.encode())


def record_market(market: MarketParameters, out_dir: Path, progress: Progress | None = None) -> list[Path]:
    """Write a tape a symbol into a folder, which is made; return the files in the order of the symbols.

    `progress` is called with the part that is done, up to 1. Raises `InputError` where a file cannot be written.
    """
    out_dir.mkdir(parents=True, exist_ok=True)
    day = datetime.fromtimestamp(market.start_ns // 1_000_000_000, UTC).strftime("%Y%m%d")
    files = [out_dir / f"{symbol.symbol.lower()}_{day}.gz" for symbol in market.symbols]
    recorders = [SymbolRecorder(symbol, market, path) for symbol, path in zip(market.symbols, files, strict=True)]
    try:
        _record_all(market, recorders, progress)
    finally:
        for recorder in recorders:
            recorder.close()
    return files


def _record_all(market: MarketParameters, recorders: list[SymbolRecorder], progress: Progress | None) -> None:
    common, log, done = CommonState(market), empty_log(), 0
    while done < market.steps:
        steps = min(CHUNK_STEPS if done else _SNAPSHOT_AFTER_STEPS, market.steps - done)
        paths = common.advance(steps)
        for recorder in recorders:
            recorder.record(paths, market.start_ns + done * STEP_NS, log)
        done += steps
        if progress is not None:
            progress(done / market.steps)

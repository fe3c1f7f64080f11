"""Speed of the market actor on a tape against a plain decoder and book in the same run, in processor time.

    python benchmarks/bench_market.py [--tape FILE] [--rounds 5]

Measured is the way from a frame's bytes to updated state: decode, order book, bars, rolling windows, and one row of
features a second of event time. The baseline is what one would write first: msgspec, a dict of levels and a sorted
list of prices kept with `bisect`; it checks no sequence and keeps no bars, windows or features. Rounds alternate
between the two; medians are compared. The tape is recorded data where there is some (SLUICE_DATA), else a synthetic
one of the same mix.
"""

import argparse
import gzip
import os
import random
import statistics
import time
from bisect import bisect_left, insort
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from dataflows.actors.market import MarketActor
from dataflows.tapes.frames import Frame
from sluice.instruments import InstrumentCatalog

INSTRUMENT = InstrumentCatalog.shipped().require("BINANCE_USDM:BTCUSDT")
SECOND_NS = 1_000_000_000
RECORDED = Path(os.environ.get("SLUICE_DATA", "../shared/data")) / "ticks" / "usdm_btcusdt_20240808.gz"


class _Ticker(msgspec.Struct, tag_field="e", tag="bookTicker"):
    u: int
    b: float
    B: float
    a: float
    A: float


class _Trade(msgspec.Struct, tag_field="e", tag="trade"):
    p: float
    q: float
    m: bool


class _Depth(msgspec.Struct, tag_field="e", tag="depthUpdate"):
    u: int
    pu: int
    b: list[tuple[float, float]]
    a: list[tuple[float, float]]


class _Snapshot(msgspec.Struct):
    bids: list[tuple[float, float]]
    asks: list[tuple[float, float]]


class _Envelope(msgspec.Struct):
    data: _Ticker | _Trade | _Depth


class PlainSide:
    """Levels in a dict, prices in a sorted list."""

    def __init__(self) -> None:
        self.levels: dict[float, float] = {}
        self.prices: list[float] = []

    def apply(self, levels: Sequence[tuple[float, float]]) -> None:
        """Set or remove levels."""
        for price, quantity in levels:
            if quantity == 0:
                if self.levels.pop(price, None) is not None:
                    del self.prices[bisect_left(self.prices, price)]
            else:
                if price not in self.levels:
                    insort(self.prices, price)
                self.levels[price] = quantity


def plain(frames: Sequence[Frame]) -> None:
    """Decode every frame with msgspec and keep the book; differences before the snapshot are applied too."""
    enveloped = msgspec.json.Decoder(_Envelope, strict=False)
    bare = msgspec.json.Decoder(_Snapshot, strict=False)
    bids, asks = PlainSide(), PlainSide()
    for frame in frames:
        if not frame.payload.startswith(b'{"stream"'):
            snapshot = bare.decode(frame.payload)
            bids.apply(snapshot.bids)
            asks.apply(snapshot.asks)
            continue
        event = enveloped.decode(frame.payload).data
        if isinstance(event, _Depth):
            bids.apply(event.b)
            asks.apply(event.a)


def actor(frames: Sequence[Frame]) -> None:
    """Run the market actor with a tick a second."""
    market = MarketActor(INSTRUMENT)
    tick = (frames[0].receive_time_ns // SECOND_NS + 1) * SECOND_NS
    for frame in frames:
        while tick <= frame.receive_time_ns:
            market.on_tick(tick)
            tick += SECOND_NS
        market.on_frame(frame)


def read_tape(path: Path) -> list[Frame]:
    """Read a whole tape into memory: reading files is not what is measured."""
    frames = []
    with gzip.open(path, "rb") as lines:
        for number, line in enumerate(lines, start=1):
            time_ns, payload = line.rstrip().split(b" ", 1)
            frames.append(Frame(number, int(time_ns), payload, INSTRUMENT.symbol))
    return frames


def synthetic_tape(frames: int = 60_000) -> list[Frame]:
    """Make a tape of the recorded one's mix: 70 % best prices, 23 % trades, 7 % differences of 68 levels."""
    source = random.Random(7)  # noqa: S311  # a benchmark's data, no secret
    made = [_frame(1, {"lastUpdateId": 1, "bids": _levels(source, -1, 1000), "asks": _levels(source, 1, 1000)})]
    for number in range(2, frames + 1):
        kind = source.random()
        if kind < 0.70:
            data = {"e": "bookTicker", "u": number, "s": "BTCUSDT", "b": "59999.90", "B": "2.5", "a": "60000.10",
                    "A": f"{source.random():.3f}"}
        elif kind < 0.93:
            data = {"e": "trade", "E": 1, "T": 1, "s": "BTCUSDT", "t": number, "p": "60000.00",
                    "q": f"{source.random():.3f}", "X": "MARKET", "m": source.random() < 0.5}
        else:
            data = {"e": "depthUpdate", "E": 1, "T": 1, "s": "BTCUSDT", "U": 1, "u": number, "pu": 1,
                    "b": _levels(source, -1, 34), "a": _levels(source, 1, 34)}
        made.append(_frame(number, {"stream": "btcusdt@" + str(data["e"]), "data": data}))
    return _chained(made)


def _levels(source: random.Random, side: int, number: int) -> list[tuple[str, str]]:
    ticks = sorted(source.sample(range(1, 2500), number))
    return [(f"{60_000 + side * tick / 10:.2f}", f"{source.choice((0, 1, 1)) * source.random():.3f}") for tick in ticks]


def _frame(number: int, document: dict[str, object]) -> Frame:
    return Frame(number, 1_700_000_000 * SECOND_NS + number * 3_600_000, msgspec.json.encode(document))


def _chained(frames: list[Frame]) -> list[Frame]:
    """Give every difference the update id of the one before it."""
    chained, last = [], 1
    for frame in frames:
        payload = frame.payload
        if b"depthUpdate" in payload:
            payload = payload.replace(b'"pu":1,', f'"pu":{last},'.encode())
            last = frame.sequence
        chained.append(Frame(frame.sequence, frame.receive_time_ns, payload))
    return chained


def frames_per_second(run: Callable[[Sequence[Frame]], None], frames: Sequence[Frame]) -> float:
    """Return how many frames a run takes in a second of this process's processor time, whatever else is running."""
    start = time.process_time()
    run(frames)
    return len(frames) / (time.process_time() - start)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tape", type=Path, default=RECORDED if RECORDED.exists() else None)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    frames = read_tape(options.tape) if options.tape else synthetic_tape()
    MarketActor.warm()
    speeds: dict[str, list[float]] = {"actor": [], "plain": []}
    for _ in range(max(3, options.rounds)):
        speeds["actor"].append(frames_per_second(actor, frames))
        speeds["plain"].append(frames_per_second(plain, frames))
    ours, theirs = statistics.median(speeds["actor"]), statistics.median(speeds["plain"])
    name = options.tape.name if options.tape else "synthetic"
    print(f"tape: {name}, {len(frames)} frames, {len(speeds['actor'])} rounds")
    print(f"market actor (decode, book, bars, windows, features): {ours:,.0f} frames/s")
    print(f"msgspec, dict and bisect (decode and book only):      {theirs:,.0f} frames/s")
    print(f"ratio: {ours / theirs:.2f}")


if __name__ == "__main__":
    main()

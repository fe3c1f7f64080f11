"""Speed of the market actor on a raw tape against a plain decoder and book in the same run, in processor time.

    python -m benchmarks.bench_market [--tape FILE] [--rounds 5]

First the tape's depth frames and its snapshot alone: from bytes through decoder and book (nothing else runs), then
through the whole light actor (gates, bars and windows besides), then through the baseline, which is what one would
write first: msgspec, a dict of levels and a sorted list of prices kept with `bisect`; it checks no sequence and keeps
nothing else. Then the whole tape to the light and to the full set of features, a row a second of event time. Frames
come in batches of 500, as a source hands them on; joining them is part of what is measured, but for the first figure.
An event is a level of the book, a trade or a best-price message.

Rounds alternate between all; medians are compared. The tape is recorded data where there is some (SLUICE_DATA), else a
synthetic one of the same mix.
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
import numpy as np

from dataflows.actors.extended import FullMarketActor
from dataflows.actors.market import MarketActor
from dataflows.book import sync
from dataflows.book.sides import to_keys
from dataflows.book.state import BookResult, new_book
from dataflows.codecs.binance import decode
from dataflows.codecs.binance_events import DepthSnapshot, DepthUpdate
from dataflows.codecs.binance_frames import read_frame
from dataflows.codecs.quick_frame import DEPTH_UPDATE, Text, join, new_frame, new_scratch
from dataflows.kernels import Floats, Integers, RecordArray, kernel
from dataflows.tapes.frames import Frame
from sluice.instruments import InstrumentCatalog

INSTRUMENT = InstrumentCatalog.shipped().require("BINANCE_USDM:BTCUSDT")
SECOND_NS = 1_000_000_000
BATCH = 500
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


@kernel
def _decode_and_apply(
    books: RecordArray, buffer: Text, starts: Integers, ends: Integers, symbol: Text,
    frames: RecordArray, keys: Integers, quantities: Floats,
) -> tuple[int, int]:
    """Read every depth frame and apply it; return how many were read and how many the book refused."""
    book, frame, read, refused = books[0], frames[0], 0, 0
    for index in range(starts.size):
        kind = read_frame(
            buffer, starts[index], ends[index], symbol, book.tick_numerator, book.tick_denominator,
            frame, keys, quantities)
        if kind == DEPTH_UPDATE:
            bids, end = frame.bid_count, frame.bid_count + frame.ask_count
            result = sync.update_keys(
                book, frame.first_update_id, frame.last_update_id, frame.previous_update_id,
                keys[:bids], quantities[:bids], keys[bids:end], quantities[bids:end])
            read += 1
            refused += result == _GAP
    return read, refused


@kernel
def _load(books: RecordArray, last: int, bids: Floats, asks: Floats) -> int:
    bid_keys, bid_quantities = np.empty(bids.shape[0], np.int64), np.empty(bids.shape[0])
    ask_keys, ask_quantities = np.empty(asks.shape[0], np.int64), np.empty(asks.shape[0])
    book = books[0]
    to_keys(bids, book.tick_numerator, book.tick_denominator, 1, bid_keys, bid_quantities)
    to_keys(asks, book.tick_numerator, book.tick_denominator, -1, ask_keys, ask_quantities)
    return sync.snapshot_keys(book, last, bid_keys, bid_quantities, ask_keys, ask_quantities)


_GAP = int(BookResult.GAP)


class DecoderAndBook:
    """The depth frames of a tape through decoder and book alone, the snapshot at its place among them."""

    def __init__(self, frames: Sequence[Frame]) -> None:
        at = next(number for number, frame in enumerate(frames) if b"lastUpdateId" in frame.payload)
        snapshot = decode(frames[at].payload)
        assert isinstance(snapshot, DepthSnapshot)
        self._snapshot = snapshot
        self._parts = [join([frame.payload for frame in part]) for part in (frames[:at], frames[at + 1 :])]
        self._symbol = np.frombuffer(INSTRUMENT.symbol.encode(), np.uint8)
        self._frame, (self._keys, self._quantities) = new_frame(), new_scratch()

    def __call__(self, frames: Sequence[Frame]) -> None:
        """Run once. Every frame must be read and none refused."""
        book = new_book(INSTRUMENT.tick_size)
        counts = [self._run(book, self._parts[0])]
        _load(book, self._snapshot.last_update_id, self._snapshot.bids, self._snapshot.asks)
        counts.append(self._run(book, self._parts[1]))
        read, refused = map(sum, zip(*counts, strict=True))
        assert (read, refused) == (len(frames) - 1, 0), (read, refused)

    def _run(self, book: RecordArray, part: tuple[Text, Integers, Integers]) -> tuple[int, int]:
        return _decode_and_apply(book, *part, self._symbol, self._frame, self._keys, self._quantities)


def through(make: type[MarketActor], frames: Sequence[Frame]) -> None:
    """Run an actor over batches of frames with a tick a second."""
    market = make(INSTRUMENT)
    tick = (frames[0].receive_time_ns // SECOND_NS + 1) * SECOND_NS
    waiting: list[Frame] = []
    for frame in frames:
        if frame.receive_time_ns >= tick or len(waiting) == BATCH:
            market.on_frames(waiting)
            waiting = []
        while tick <= frame.receive_time_ns:
            market.on_tick(tick)
            tick += SECOND_NS
        waiting.append(frame)
    market.on_frames(waiting)


def events_of(frames: Sequence[Frame]) -> int:
    """Count levels, trades and best-price messages."""
    count = 0
    for frame in frames:
        event = decode(frame.payload)
        count += len(event.bids) + len(event.asks) if isinstance(event, DepthUpdate | DepthSnapshot) else 1
    return count


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


def cpu_seconds(run: Callable[[Sequence[Frame]], None], frames: Sequence[Frame]) -> float:
    """Return the processor time that a run takes, whatever else the machine does."""
    start = time.process_time()
    run(frames)
    return time.process_time() - start


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tape", type=Path, default=RECORDED if RECORDED.exists() else None)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    frames = read_tape(options.tape) if options.tape else synthetic_tape()
    depth = [frame for frame in frames if b"depthUpdate" in frame.payload or b"lastUpdateId" in frame.payload]
    runs: dict[str, tuple[Callable[[Sequence[Frame]], None], Sequence[Frame]]] = {
        "depth: decoder and book": (DecoderAndBook(depth), depth),
        "depth: light actor": (lambda given: through(MarketActor, given), depth),
        "depth: msgspec and sorted lists": (plain, depth),
        "tape: light features": (lambda given: through(MarketActor, given), frames),
        "tape: full features": (lambda given: through(FullMarketActor, given), frames),
        "tape: msgspec and sorted lists": (plain, frames),
    }
    events = {id(depth): events_of(depth), id(frames): events_of(frames)}
    times: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(max(3, options.rounds) + 1):
        for name, (run, given) in runs.items():
            if (took := cpu_seconds(run, given)) and turn:
                times[name].append(took)
    print(f"tape: {options.tape.name if options.tape else 'synthetic'}, {len(frames)} frames, {events[id(frames)]} "
          f"events; {len(depth)} of depth with {events[id(depth)] / len(depth):.0f} levels each")
    for name, (_, given) in runs.items():
        took = statistics.median(times[name])
        base = statistics.median(times[f"{name.split(':')[0]}: msgspec and sorted lists"])
        print(f"{name:34} {len(given) / took:>11,.0f} frames/s {events[id(given)] / took:>13,.0f} events/s "
              f"{base / took:>7.1f} x the baseline")


if __name__ == "__main__":
    main()

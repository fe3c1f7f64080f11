"""Speed of the feature kernels on compiled tapes, what an instrument costs in memory, and the latency of one event.

    python -m benchmarks.bench_features [--rounds 5]

Compiled tapes are the generated feed of `bench_backtest` and, where there is recorded data (SLUICE_DATA), its raw
USD-M tape compiled. The rows go through the light and the full actor with a row of features a second of event time, at
once and in batches of 100; an event is a row of the tape. Latency is that of one frame of a live stream (`on_frame`, by
kind of frame) and of one row of features (`on_tick`); it is wall time of single calls, so p99 holds what else the
machine did. The start is that of a fresh process until its actor has taken frames and made a row, compiled code cached.
Rounds alternate; medians are compared, in processor time where nothing else is said.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.bench_backtest import prepare
from benchmarks.bench_market import INSTRUMENT, RECORDED, SECOND_NS, read_tape
from dataflows.actors.extended import FullMarketActor
from dataflows.actors.extended_state import EXTENDED, LENGTH
from dataflows.actors.market import MarketActor
from dataflows.actors.market_state import MARKET
from dataflows.extraction.batch import has_snapshot
from dataflows.indicators.schemas import FULL_BARS
from dataflows.tapes.compiled import compile_tapes, load_compiled
from dataflows.tapes.rows import Rows

ACTORS: dict[str, type[MarketActor]] = {"light": MarketActor, "full": FullMarketActor}
ROWS_A_BATCH = 100
BATCHES = 2_000
LIVE_FRAMES = 30_000
_START = """
from dataflows.actors.{module} import {name} as Actor
Actor.warm()
import resource
used = resource.getrusage(resource.RUSAGE_SELF)
print(used.ru_utime + used.ru_stime)
"""


def tapes() -> Iterator[tuple[str, Rows]]:
    """Yield the compiled tapes there are."""
    yield "generated feed", np.load(prepare())
    if RECORDED.exists():
        with tempfile.TemporaryDirectory() as folder:
            made = compile_tapes([RECORDED], Path(folder), shift_ns=None, progress=lambda _: None)
            yield RECORDED.name, load_compiled(made.files[INSTRUMENT.symbol])


def at_once(make: type[MarketActor], rows: Rows) -> float:
    """Return rows a second of processor time, the whole tape in one call."""
    actor = make(INSTRUMENT)
    start = time.process_time()
    actor.on_rows(rows, tick_interval_ns=SECOND_NS, starts_known=not has_snapshot(rows))
    return len(rows) / (time.process_time() - start)


def in_batches(make: type[MarketActor], rows: Rows) -> float:
    """Return rows a second of processor time, in batches as a flow hands them on."""
    batches = [rows[at : at + ROWS_A_BATCH] for at in range(0, min(len(rows), ROWS_A_BATCH * BATCHES), ROWS_A_BATCH)]
    actor, known = make(INSTRUMENT), not has_snapshot(rows)
    start = time.process_time()
    for batch in batches:
        actor.on_rows(batch, tick_interval_ns=SECOND_NS, starts_known=known)
    return sum(map(len, batches)) / (time.process_time() - start)


def print_speeds(rounds: int) -> None:
    """Measure the compiled tapes and print."""
    for name, rows in tapes():
        found: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
        for turn in range(rounds + 1):
            for set_name, make in ACTORS.items():
                for way, run in (("at once", at_once), (f"batches of {ROWS_A_BATCH}", in_batches)):
                    if (speed := run(make, rows)) and turn:
                        found[set_name, way].append(speed)
        print(f"compiled tape: {name}, {len(rows):,} rows")
        for (set_name, way), speeds in found.items():
            print(f"  {set_name:6} {way:15} {statistics.median(speeds):>13,.0f} events/s")


def print_memory() -> None:
    """Print what an instrument takes: the size of its records, which never grow."""
    light, lengths = MARKET.itemsize, len(FULL_BARS) * LENGTH.itemsize
    full, book = light + EXTENDED.itemsize + lengths, MARKET["book"].itemsize
    print(f"memory of an instrument, fixed: light {light / 1024:,.0f} KiB, of them the book {book / 1024:,.0f}; "
          f"full {full / 1024:,.0f} KiB, of them bars of {', '.join(FULL_BARS)} {lengths / 1024:,.0f}")


def print_latencies() -> None:
    """Print the time of one frame by kind and of one row, of a live stream."""
    if not RECORDED.exists():
        return
    frames = read_tape(RECORDED)[:LIVE_FRAMES]
    for set_name, make in ACTORS.items():
        make.warm()
        actor, took = make(INSTRUMENT), defaultdict[str, list[int]](list)
        tick = (frames[0].receive_time_ns // SECOND_NS + 1) * SECOND_NS
        for frame in frames:
            while tick <= frame.receive_time_ns:
                start = time.perf_counter_ns()
                actor.on_tick(tick)
                took["row of features"].append(time.perf_counter_ns() - start)
                tick += SECOND_NS
            start = time.perf_counter_ns()
            actor.on_frame(frame)
            took[_kind(frame.payload)].append(time.perf_counter_ns() - start)
        for kind, times in sorted(took.items()):
            p50, p99 = np.percentile(times, [50, 99]) / 1000
            print(f"  {set_name:6} {kind:16} p50 {p50:>7.1f} us   p99 {p99:>7.1f} us   of {len(times)}")


def _kind(payload: bytes) -> str:
    for kind in ("bookTicker", "depthUpdate", "trade"):
        if f'"e":"{kind}"'.encode() in payload:
            return kind
    return "snapshot"


def print_starts(rounds: int) -> None:
    """Print how long a fresh process takes until its actor is ready."""
    for set_name, make in ACTORS.items():
        code = _START.format(module=make.__module__.rpartition(".")[2], name=make.__name__)
        walls, processors = [], []
        for _ in range(rounds):
            start = time.perf_counter()
            done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
            walls.append(time.perf_counter() - start)
            processors.append(float(done.stdout))
        print(f"start of a process, {set_name}: {statistics.median(walls):.2f} s wall, "
              f"{statistics.median(processors):.2f} s processor")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = max(3, parser.parse_args().rounds)
    print_speeds(rounds)
    print_memory()
    print("added latency of one event:")
    print_latencies()
    print_starts(rounds)


if __name__ == "__main__":
    main()

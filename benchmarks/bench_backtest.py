"""Speed, start and memory of the compiled backtest, side by side with hftbacktest on the same feed in the same run.

    python -m benchmarks.bench_backtest [--rounds 5] [--queue ra|prob]

Rounds alternate between the two, each in a process of its own; medians are compared. A figure is rows of the feed a
second of the run itself, without imports, loading and compilation, in wall time and in processor time: the latter is
less moved by what else the machine does. The start is from the process's first moment until a strategy runs, with
compiled code cached (a first run compiles). Peak memory is the whole process's. Our rows come from a compiled tape
(.npy, which is mapped); hftbacktest's script makes its rows from the feed, so its peak holds that, too.

The peer's script and the feed's generator are the shared folder's (`SLUICE_BENCH`, else `../shared/bench`), hftbacktest
lives in `.venv-judges`. Without them ours is printed alone, on a synthetic tape where there is no generator.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from backtest.matching.state import QueueModel
from backtest.replay import Backtest, MatchingRules, ReplayAsset, load_rows
from benchmarks.quoting import place_and_cancel, quote_touch
from dataflows.tapes.rows import (
    BUY_EVENT,
    DEPTH_EVENT,
    EVENT_DTYPE,
    EXCH_EVENT,
    LOCAL_EVENT,
    SELL_EVENT,
    TRADE_EVENT,
    Rows,
)

SHARED = Path(os.environ.get("SLUICE_BENCH", "../shared/bench"))
JUDGES = Path(os.environ.get("SLUICE_JUDGES", ".venv-judges")) / "bin" / "python"
FOLDER = Path(".data/bench")
EVENTS, SEED = 2_000_000, 7
MODELS = {"ra": QueueModel.RISK_AVERSE, "prob": QueueModel.POWER}
ORDERS = (1_000, 10_000, 100_000)
ORDER_STEP_NS = 20_000_000


def prepare() -> Path:
    """Return the compiled tape of the feed, made where it is not there yet."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    tape = FOLDER / "btcusdt.npy"
    if (SHARED / "gen_feed.py").exists():
        feed = FOLDER / "feed_A.npz"
        if not feed.exists():
            subprocess.run(
                [sys.executable, str(SHARED / "gen_feed.py"), str(FOLDER), str(EVENTS), str(SEED)], check=True)
        if not tape.exists() or tape.stat().st_mtime < feed.stat().st_mtime:
            np.save(tape, _rows_of(feed))
        return tape
    print(f"{SHARED} is missing: a synthetic tape is taken instead")
    return _synthetic()


def _rows_of(feed: Path) -> Rows:
    """Return levels and trades of the generated feed as rows; a batch of levels is received with its last one."""
    with np.load(feed) as archive:
        events = archive["ev"]
    received, levels = events["loc"].copy(), events["kind"] == 0
    last = np.flatnonzero(events["last"][levels])
    batches = np.concatenate([[0], np.cumsum(events["last"][levels])[:-1]])
    received[levels] = received[levels][last][np.minimum(batches, len(last) - 1)]
    kept = levels | (events["kind"] == 1)
    rows = np.zeros(int(kept.sum()), EVENT_DTYPE)
    rows["exch_ts"], rows["local_ts"] = events["ts"][kept], np.maximum.accumulate(received)[kept]
    rows["px"], rows["qty"] = events["px"][kept] * 0.1, events["qty"][kept] * 0.001
    kinds = np.where(levels[kept], DEPTH_EVENT, TRADE_EVENT)
    rows["ev"] = kinds | np.where(events["side"][kept] > 0, BUY_EVENT, SELL_EVENT) | EXCH_EVENT | LOCAL_EVENT
    return rows


def _synthetic() -> Path:
    from backtest.synthetic import make_tape  # noqa: PLC0415  # only where the generator is missing

    folder = FOLDER / "synthetic"
    folder.mkdir(exist_ok=True)
    make_tape(folder, seed=SEED, minutes=30.0, symbols=("BTCUSDT",))
    tape = folder / "btcusdt.npy"
    np.save(tape, load_rows(sorted(folder.glob("btcusdt*.gz"))))
    return tape


def backtest_of(rows: Rows, queue: str) -> Backtest:
    """Return a run as hftbacktest's with the same queue model, and its exchange without partial fills."""
    rules = MatchingRules(MODELS[queue], 3.0, partial_fills=False)
    return Backtest([ReplayAsset("BTCUSDT", rows, 0.1, 0.001, matching=rules)])


def run_ours(tape: Path, queue: str) -> dict[str, Any]:
    """Run once and return the figures; called in a process of its own."""
    rows = load_rows([tape])
    backtest_of(rows[:2000], queue).run(quote_touch)
    start_s = time.time() - _started_at()
    backtest = backtest_of(rows, queue)
    wall, cpu = time.perf_counter(), time.process_time()
    result = backtest.run(quote_touch)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    asset = result.assets[0]
    return {
        "events": len(rows), "ev_per_s": len(rows) / wall, "ev_per_cpu_s": len(rows) / cpu, "start_s": start_s,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, "orders": asset.orders,
        "fills": asset.fills, "volume": asset.volume, "pnl": asset.equity + asset.fees,
        "balance": asset.realised_pnl - asset.position * asset.entry_price,
    }


def _started_at() -> float:
    """Return when this process began, in seconds since 1970."""
    ticks = int(Path("/proc/self/stat").read_text().rsplit(")", 1)[1].split()[19])
    uptime_s = float(Path("/proc/uptime").read_text().split()[0])
    return time.time() - (uptime_s - ticks / os.sysconf("SC_CLK_TCK"))


def cost_per_order(tape: Path) -> dict[int, float]:
    """Return microseconds an order, with the rows of its 20 ms, where so many are placed and canceled in one run."""
    rows, found = load_rows([tape]), {}
    backtest_of(rows[:2000], "ra").run(place_and_cancel, 1, ORDER_STEP_NS)
    for orders in ORDERS:
        costs = []
        for _ in range(max(3, 30_000 // orders)):
            backtest = backtest_of(rows, "ra")
            began = time.process_time()
            placed = place_and_cancel(backtest.view.address, orders, ORDER_STEP_NS)
            costs.append((time.process_time() - began) / placed)
        found[orders] = 1e6 * statistics.median(costs)
    return found


def _child(*arguments: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.bench_backtest", *arguments]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures


def run_peer(queue: str) -> dict[str, Any]:
    """Run hftbacktest once, with its faster book, and return its script's figures."""
    command = [str(JUDGES), str(SHARED / "run_hft.py"), "l2", str(FOLDER), "1", "roi", queue]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    figures["fills"] = figures["fills"][0]
    return figures


def _line(name: str, rounds: list[dict[str, Any]]) -> dict[str, float]:
    middle = {key: statistics.median(one[key] for one in rounds) for key in ("ev_per_s", "ev_per_cpu_s", "peak_mb")}
    speeds = f"{middle['ev_per_s'] / 1e6:7.2f} M events/s, {middle['ev_per_cpu_s'] / 1e6:7.2f} M a CPU second"
    print(f"{name:>12}: {speeds}, peak {middle['peak_mb']:.0f} MB, {rounds[0]['orders']:,} orders, "
          f"{rounds[0]['fills']:,} fills")
    return middle


def compare(tape: Path, queue: str, rounds: int) -> None:
    """Print both sides' medians and the ratio."""
    _child("--ours", str(tape), "--queue", queue)  # compiles where it must
    peer_is_there = JUDGES.is_file() and (SHARED / "run_hft.py").exists()
    ours, theirs = [], []
    for _ in range(rounds):
        ours.append(_child("--ours", str(tape), "--queue", queue))
        if peer_is_there:
            theirs.append(run_peer(queue))
    print(f"queue model {queue}, {ours[0]['events']:,} events, medians of {rounds} rounds")
    mine = _line("sluice", ours)
    print(f"{'':>12}  start to a running strategy {statistics.median(one['start_s'] for one in ours):.2f} s, "
          f"volume {ours[0]['volume']:,.3f}, PnL before fees {ours[0]['pnl']:,.2f}")
    if not theirs:
        print(f"hftbacktest is not compared: {JUDGES} or {SHARED / 'run_hft.py'} is missing")
        return
    other = _line("hftbacktest", theirs)
    print(f"{'ratio':>12}: {mine['ev_per_s'] / other['ev_per_s']:.2f} in wall time, "
          f"{mine['ev_per_cpu_s'] / other['ev_per_cpu_s']:.2f} in processor time; "
          f"cash from trades {ours[0]['balance']:,.2f} against {theirs[0]['bal'][0]:,.2f}")


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--queue", choices=[*MODELS, "both"], default="both")
    parser.add_argument("--ours", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.ours:
        print(json.dumps(run_ours(options.ours, options.queue)))
        return
    tape = prepare()
    for queue in MODELS if options.queue == "both" else [options.queue]:
        compare(tape, queue, options.rounds)
    costs = cost_per_order(tape)
    print("cost per order: " + ", ".join(f"{cost:.2f} us at {orders:,}" for orders, cost in costs.items()))


if __name__ == "__main__":
    main()

"""Speed of the market actor inside Bytewax on batches of a compiled tape, beside the same kernel without Bytewax.

    python -m benchmarks.bench_flow [--rounds 5] [--rows 100] [--items 200] [--set light]

An item is an array of rows (100 by default) under its instrument's key; the source hands on some items at once (200 by
default, as a source that has fallen behind does), the actor is a stateful step that makes a row of features a second of
event time, and the sink counts them. Measured are, in turn, the actor in a plain loop, a flow whose step does nothing
(echo) and the flow with the actor; medians of millions of rows a second are compared, in processor time and in wall
time, each in the same process after a first round that is not counted. The tape is the generated feed of
`bench_backtest`.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

import bytewax.operators as op
import numpy as np
from bytewax.dataflow import Dataflow
from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition
from bytewax.operators import StatefulBatchLogic
from bytewax.outputs import DynamicSink, StatelessSinkPartition
from bytewax.testing import run_main

from benchmarks.bench_backtest import prepare
from dataflows.actors.market import FeatureTable
from dataflows.market_actors import market_actor, schema_of_settings
from dataflows.tapes.rows import Rows
from sluice.config.features import FeatureSettings
from sluice.instruments import InstrumentCatalog

INSTRUMENT = InstrumentCatalog.shipped().require("BINANCE_USDM:BTCUSDT")
SECOND_NS = 1_000_000_000
Keyed = tuple[str, Rows]


@dataclass(frozen=True)
class Work:
    """What is measured: rows cut into items, how many items at once, and which set of features."""

    items: list[Keyed]
    at_once: int
    settings: FeatureSettings


class _Partition(StatefulSourcePartition[Keyed, int]):
    """Hands on items, some at once."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._next = 0

    def next_batch(self) -> Iterable[Keyed]:
        batch = self._work.items[self._next : self._next + self._work.at_once]
        if not batch:
            raise StopIteration
        self._next += len(batch)
        return batch

    def next_awake(self) -> datetime | None:
        return None

    def snapshot(self) -> int:
        return self._next


class _Source(FixedPartitionedSource[Keyed, int]):
    def __init__(self, work: Work) -> None:
        self._work = work

    def list_parts(self) -> list[str]:
        return ["rows"]

    def build_part(self, step_id: str, for_part: str, resume_state: int | None) -> _Partition:  # noqa: ARG002  # Bytewax's
        return _Partition(self._work)


class _Echo(StatefulBatchLogic[Rows, FeatureTable, bytes]):
    """Takes everything and does nothing: what Bytewax itself costs."""

    def on_batch(self, values: list[Rows]) -> tuple[list[FeatureTable], bool]:  # noqa: ARG002  # Bytewax's
        return [], False

    def snapshot(self) -> bytes:
        return b""


class _Actor(StatefulBatchLogic[Rows, FeatureTable, bytes]):
    """Runs the market actor on each array."""

    def __init__(self, work: Work) -> None:
        self._actor = market_actor(INSTRUMENT, schema_of_settings(work.settings))

    def on_batch(self, values: list[Rows]) -> tuple[list[FeatureTable], bool]:
        on_rows = self._actor.on_rows
        tables = [on_rows(rows, tick_interval_ns=SECOND_NS, starts_known=True) for rows in values]
        return [table for table in tables if len(table)], False

    def snapshot(self) -> bytes:
        return self._actor.snapshot()


class _Counter(StatelessSinkPartition[tuple[str, FeatureTable]]):
    def __init__(self, counts: list[int]) -> None:
        self._counts = counts

    def write_batch(self, items: list[tuple[str, FeatureTable]]) -> None:
        self._counts[0] += sum(len(table) for _, table in items)


class _Sink(DynamicSink[tuple[str, FeatureTable]]):
    def __init__(self, counts: list[int]) -> None:
        self._counts = counts

    def build(self, step_id: str, worker_index: int, worker_count: int) -> _Counter:  # noqa: ARG002  # Bytewax's
        return _Counter(self._counts)


def in_bytewax(work: Work, logic: Callable[[], StatefulBatchLogic[Rows, FeatureTable, bytes]]) -> int:
    """Run the flow to its end; return the number of feature rows."""
    counts = [0]
    flow = Dataflow("bench")
    rows = op.input("rows", flow, _Source(work))
    op.output("count", op.stateful_batch("market", rows, lambda _state: logic()), _Sink(counts))
    run_main(flow)
    return counts[0]


def alone(work: Work) -> int:
    """Run the actor in a plain loop; return the number of feature rows."""
    return sum(len(table) for table in _Actor(work).on_batch([rows for _, rows in work.items])[0])


def measured(run: Callable[[], int]) -> tuple[int, float, float]:
    """Return feature rows, processor seconds and wall seconds of a run."""
    cpu, wall = time.process_time(), time.perf_counter()
    made = run()
    return made, time.process_time() - cpu, time.perf_counter() - wall


def work_of(rows: Rows, arguments: argparse.Namespace) -> Work:
    """Cut rows into items."""
    cut = [(INSTRUMENT.key, rows[begin : begin + arguments.rows]) for begin in range(0, len(rows), arguments.rows)]
    return Work(cut, arguments.items, FeatureSettings.model_validate({"set": arguments.set}))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rows", type=int, default=100)
    parser.add_argument("--items", type=int, default=200)
    parser.add_argument("--set", choices=["light", "full"], default="light")
    arguments = parser.parse_args()
    rows = np.load(prepare())
    work = work_of(rows, arguments)
    runs = {"actor alone": lambda: alone(work), "echo in Bytewax": lambda: in_bytewax(work, _Echo),
            "actor in Bytewax": lambda: in_bytewax(work, lambda: _Actor(work))}
    found: dict[str, list[tuple[int, float, float]]] = {name: [] for name in runs}
    for round_number in range(arguments.rounds + 1):
        for name, run in runs.items():
            times = measured(run)
            found[name] += [times] * (round_number > 0)
    print(f"{len(rows):,} rows in items of {arguments.rows}, {arguments.items} items at once, {arguments.set} set")
    for name, rounds in found.items():
        cpu, wall = (statistics.median(len(rows) / times[at] / 1e6 for times in rounds) for at in (1, 2))
        print(f"{name:<18} {cpu:>7.1f} M rows a processor second   {wall:>7.1f} M rows a second   "
              f"{rounds[0][0]:,} feature rows")


if __name__ == "__main__":
    main()

"""The flow's statistics into a file that is replaced at once, and into the metrics: for whoever watches."""

import time
from pathlib import Path

import msgspec
from bytewax.outputs import DynamicSink, StatelessSinkPartition

from dataflows.metrics import FlowCounters
from dataflows.statistics import Counts
from dataflows.steps.counting import TickOutcome
from sluice.files import replace_file

#: Least time between two writes; the last outcome is always written.
WRITE_EVERY_S = 0.2

KeyedOutcome = tuple[str, TickOutcome]


class StatisticsPartition(StatelessSinkPartition[KeyedOutcome]):
    """Writes the newest statistics now and then."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._written_at = 0.0
        self._counters = FlowCounters()

    def write_batch(self, items: list[KeyedOutcome]) -> None:
        """Tell the newest of a batch, and write it where it is the last of all, or the file is old enough."""
        outcome = items[-1][1]
        self._counters.tell(msgspec.json.decode(outcome.statistics, type=Counts))
        if outcome.last or time.monotonic() - self._written_at > WRITE_EVERY_S:
            replace_file(self._path, outcome.statistics)
            self._written_at = time.monotonic()


class StatisticsSink(DynamicSink[KeyedOutcome]):
    """The statistics of a run, in one file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def build(self, step_id: str, worker_index: int, worker_count: int) -> StatisticsPartition:
        """Open the sink."""
        return StatisticsPartition(self._path)

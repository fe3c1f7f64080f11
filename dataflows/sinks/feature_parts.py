"""Feature rows as Parquet parts: `<set>/<instrument>/<day>/<time of the first row>_<its sequence>.parquet`.

A part ends with its day or when it is full, so where it begins and ends goes by the rows alone. The resume state is the
rows that no finished part holds yet: after a crash the same parts are written again in the place of those written since
the last snapshot, and every row stands there once. A part that is not full is written when the flow ends, and replaced
when it goes on.
"""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from bytewax.outputs import FixedPartitionedSink, StatefulSinkPartition

from dataflows.actors.market_rows import FeatureRow
from dataflows.extraction.tables import FeatureFile, table_of
from dataflows.indicators.schema import FeatureSchema
from sluice.clock import NS_PER_MS

#: Rows of each instrument that wait to become a part, as MessagePack.
PartsState = tuple[tuple[str, bytes], ...]
_NANOSECONDS = 1_000_000_000
_DAY_NS = 86_400 * _NANOSECONDS


class FeaturePartsPartition(StatefulSinkPartition[FeatureRow, PartsState]):
    """Gathers rows by instrument and writes a part when one is full or its day is over."""

    def __init__(self, folder: Path, schema: FeatureSchema, part_rows: int, state: PartsState) -> None:
        self._folder = folder / schema.name
        for left in self._folder.rglob(".writing-*"):
            shutil.rmtree(left, ignore_errors=True)  # by a run that was killed
        self._schema = schema
        self._part_rows = part_rows
        self._waiting = {key: msgspec.msgpack.decode(rows, type=list[FeatureRow]) for key, rows in state}

    def write_batch(self, values: list[FeatureRow]) -> None:
        """Add rows; write the parts that they complete."""
        for row in values:
            waiting = self._waiting.setdefault(row.instrument, [])
            if waiting and row.event_time_ns // _DAY_NS != waiting[0].event_time_ns // _DAY_NS:
                self._write(waiting)
                waiting.clear()
            waiting.append(row)
            if len(waiting) >= self._part_rows:
                self._write(waiting)
                waiting.clear()

    def snapshot(self) -> PartsState:
        """Return the rows that no finished part holds."""
        return tuple((key, msgspec.msgpack.encode(rows)) for key, rows in self._waiting.items() if rows)

    def close(self) -> None:
        """Write the parts as far as they are; going on replaces them."""
        for rows in self._waiting.values():
            if rows:
                self._write(rows)

    def _write(self, rows: list[FeatureRow]) -> None:
        path = part_path(self._folder, rows[0])
        with FeatureFile(path, self._schema) as file:
            file.add(table_of(rows, self._schema))
        _remove_superseded(path, rows[-1].event_time_ns)


class FeaturePartsSink(FixedPartitionedSink[FeatureRow, PartsState]):
    """The parts of one set of features below a folder, each of at most `part_rows` rows."""

    def __init__(self, folder: Path, schema: FeatureSchema, part_rows: int) -> None:
        self._folder = folder
        self._schema = schema
        self._part_rows = part_rows

    def list_parts(self) -> list[str]:
        """Return the one partition's name."""
        return ["parts"]

    def build_part(self, step_id: str, for_part: str, resume_state: PartsState | None) -> FeaturePartsPartition:
        """Start with the rows that the last snapshot left, or with none."""
        return FeaturePartsPartition(self._folder, self._schema, self._part_rows, resume_state or ())


def part_path(folder: Path, first: FeatureRow) -> Path:
    """Return the path of the part that begins with a row."""
    day = datetime.fromtimestamp(first.event_time_ns // _NANOSECONDS, UTC).strftime("%Y-%m-%d")
    name = f"{_time_of_day(first.event_time_ns)}_{first.sequence:012}.parquet"
    return folder / first.instrument.replace(":", "_") / day / name


def _remove_superseded(path: Path, last_ns: int) -> None:
    """Remove other parts that begin within the time of this one: an earlier run cut the same time in another way."""
    begin, end = path.name.partition("_")[0], _time_of_day(last_ns)
    for other in path.parent.glob("*_*.parquet"):
        if other != path and begin <= other.name.partition("_")[0] <= end:
            other.unlink(missing_ok=True)


def _time_of_day(time_ns: int) -> str:
    moment = datetime.fromtimestamp(time_ns // _NANOSECONDS, UTC)
    return f"{moment:%H%M%S}{time_ns % _NANOSECONDS // NS_PER_MS:03}"

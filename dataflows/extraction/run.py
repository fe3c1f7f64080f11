"""From tapes to one Parquet file of feature rows, for research: what `sluice features` does.

Raw tapes go through the market actors block by block, compiled tapes through the same kernels in one call. Memory stays
bounded: rows go into the file as they are made.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dataflows.actors.market_rows import FeatureRow, FeatureTable
from dataflows.extraction.compiled import blocks, compiled_tapes, fill_cross_assets, instruments_of, table_of_tape
from dataflows.extraction.rows import TapeRows
from dataflows.extraction.tables import FeatureFile, table_of
from dataflows.indicators.schema import FeatureSchema
from dataflows.tapes.files import find_tapes
from dataflows.tapes.summary import parts_of
from sluice.cli.progress import Advance
from sluice.errors import InputError
from sluice.instruments import InstrumentCatalog

#: Rows that are turned into columns at once.
_BLOCK_ROWS = 20_000


@dataclass(frozen=True, slots=True)
class Extraction:
    """What to make: rows of a schema every so often, of some instruments (None: all that the tapes name)."""

    schema: FeatureSchema
    every_ns: int
    instruments: tuple[str, ...] | None
    reference: str


@dataclass(frozen=True, slots=True)
class Extracted:
    """What was made. `valid_rows` counts the rows in which every feature is valid.

    `quality_by_reason` says how often the gates found each reason in events; compiled tapes do not go through them.
    """

    path: Path
    schema: FeatureSchema
    rows: int
    valid_rows: int
    instruments: tuple[str, ...]
    lines: int
    dead_letters: dict[str, int]
    quality_by_reason: dict[str, int]

    def as_data(self) -> dict[str, object]:
        """Return it as plain data for JSON."""
        schema = {"name": self.schema.name, "version": self.schema.version, "hash": self.schema.hash}
        return {
            "file": str(self.path), "schema": schema, "features": len(self.schema.features), "rows": self.rows,
            "valid_rows": self.valid_rows, "instruments": list(self.instruments), "lines": self.lines,
            "dead_letters": self.dead_letters, "quality_by_reason": self.quality_by_reason}

    def text(self) -> str:
        """Return it for a person."""
        return "\n".join([
            f"Wrote {self.path}: {self.rows:,} rows of {len(self.schema.features)} features",
            f"  every feature is valid in {self.valid_rows:,} of them",
            f"  schema {self.schema.name} version {self.schema.version}, {self.schema.hash}",
            f"  instruments {', '.join(self.instruments)}",
            f"  lines {self.lines:,}, dead letters: {_counts(self.dead_letters)}",
            f"  found by the quality gates: {_counts(self.quality_by_reason)}"])


def _counts(counted: Mapping[str, int]) -> str:
    return ", ".join(f"{reason} {count:,}" for reason, count in counted.items()) or "none"


def extract(
    paths: Sequence[Path], out: Path, wanted: Extraction, catalog: InstrumentCatalog, progress: Advance
) -> Extracted:
    """Make the rows of tapes, all raw or all compiled, and write them.

    Raises `NotFoundError` or `InputError` where a tape, an instrument or the output cannot be used, or where no row can
    be made; there is no file then.
    """
    if tapes := compiled_tapes(paths):
        return _extract_compiled(tapes, out, wanted, catalog, progress)
    rows = TapeRows(
        catalog, wanted.every_ns, wanted.schema, _known(wanted, catalog), catalog.require(wanted.reference).key)
    made = valid = 0
    with FeatureFile(out, wanted.schema) as file:
        for block in _blocks(rows.ticks(paths, parts_of(find_tapes(paths), progress))):
            file.add(table_of(block, wanted.schema))
            made += len(block)
            valid += sum(all(row.valid) for row in block)
        _check_some(made)
    return Extracted(
        out, wanted.schema, made, valid, rows.instruments, rows.lines, dict(rows.dead_letters.most_common()),
        dict(rows.quality.most_common()))


def _extract_compiled(
    tapes: Sequence[Path], out: Path, wanted: Extraction, catalog: InstrumentCatalog, progress: Advance
) -> Extracted:
    named = instruments_of(tapes, wanted.instruments, catalog)
    keys = _known(wanted, catalog) or {instrument.key for instrument in named.values()}
    catalog.require(wanted.reference)
    tables: dict[str, FeatureTable] = {}
    valid = lines = 0
    with FeatureFile(out, wanted.schema) as file:
        for at, (tape, instrument) in enumerate(named.items()):
            if instrument.key in keys or instrument.key == wanted.reference:
                share = _share_of(progress, at, len(named))
                tables[instrument.key], count = table_of_tape(
                    tape, instrument, wanted.schema, wanted.every_ns, share)
                lines += count
        fill_cross_assets(tables, wanted.reference, wanted.every_ns)
        shown = {key: table for key, table in tables.items() if key in keys}
        for block in blocks(shown):
            file.add(block)
        valid = sum(int(table.valid.all(axis=1).sum()) for table in shown.values())
        _check_some(file.rows)
    return Extracted(out, wanted.schema, file.rows, valid, tuple(sorted(shown)), lines, {}, {})


def _share_of(progress: Advance, at: int, count: int) -> Advance:
    def advance(part: float, note: str = "") -> None:
        progress((at + part) / count, note)

    return advance


def _check_some(rows: int) -> None:
    if rows == 0:
        raise InputError("tapes must give at least one row, gave none",
                         fix="see what they hold: `sluice tape info PATH`; a row takes a catalogued instrument and a "
                             "tape that is longer than the time between two rows")


def _known(wanted: Extraction, catalog: InstrumentCatalog) -> frozenset[str] | None:
    if wanted.instruments is None:
        return None
    return frozenset(instrument.key for instrument in catalog.select(wanted.instruments))


def _blocks(ticks: Iterable[list[FeatureRow]]) -> Iterator[list[FeatureRow]]:
    block: list[FeatureRow] = []
    for rows in ticks:
        block.extend(rows)
        if len(block) >= _BLOCK_ROWS:
            yield block
            block = []
    if block:
        yield block

"""Feature rows of compiled tapes: a file an instrument, each through the actor's kernels in a few calls.

The ticks are at the multiples of the interval, as on raw tapes. The tables of all instruments are held in memory.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import polars as pl

from dataflows.actors.market_rows import FeatureTable
from dataflows.extraction.tables import features_table
from dataflows.indicators.schema import FeatureSchema
from dataflows.market_actors import market_actor
from dataflows.tapes.compiled import load_compiled
from sluice.cli.progress import Advance
from sluice.errors import InputError, NotFoundError
from sluice.instruments import Instrument, InstrumentCatalog

#: Rows of a tape between two words of progress.
_STEP_ROWS = 1_000_000
#: Rows that are handed on at once.
_BLOCK_ROWS = 20_000
SUFFIX = ".npz"


def compiled_tapes(paths: Sequence[Path]) -> list[Path]:
    """Return the compiled tapes that paths mean: such files, and those in folders that hold no others.

    Empty where none is one. Raises `InputError` where raw and compiled tapes are mixed, `NotFoundError` where one is
    missing.
    """
    found = [sorted(path.glob(f"*{SUFFIX}")) if path.is_dir() else [path][: path.suffix == SUFFIX] for path in paths]
    if not any(found):
        return []
    for path, files in zip(paths, found, strict=True):
        if not path.exists():
            raise NotFoundError(f"tape must exist, was not found: {path}")
        if not files:
            raise InputError(f"tapes must be all raw or all compiled, {path} was raw beside compiled ones",
                             fix="run once for each kind")
    return [file for files in found for file in files]


def instruments_of(
    tapes: Sequence[Path], wanted: Sequence[str] | None, catalog: InstrumentCatalog
) -> dict[Path, Instrument]:
    """Return what each compiled tape is of: by its name, `<symbol>.npz`; a single one may be named by `wanted`.

    Raises `InputError` where a name says no catalogued instrument, or two say the same one.
    """
    if len(tapes) == 1 and wanted is not None and len(wanted) == 1:
        return {tapes[0]: catalog.require(wanted[0])}
    made: dict[Path, Instrument] = {}
    for tape in tapes:
        instrument = catalog.by_symbol(tape.stem.upper())
        if instrument is None or instrument in made.values():
            raise InputError(
                f"a compiled tape must be named after an instrument of its own, was {tape.name}",
                fix="name it <symbol>.npz, as `sluice tape compile` does, or give one tape with one --instrument")
        made[tape] = instrument
    return made


def table_of_tape(
    tape: Path, instrument: Instrument, schema: FeatureSchema, interval_ns: int, advance: Advance
) -> tuple[FeatureTable, int]:
    """Return the features of a compiled tape, cross-asset columns not filled, and how many rows the tape has.

    Raises `InputError` where it cannot be read.
    """
    rows = load_compiled(tape)
    actor = market_actor(instrument, schema)
    tables = []
    for begin in range(0, max(1, len(rows)), _STEP_ROWS):
        tables.append(actor.on_rows(rows[begin : begin + _STEP_ROWS], tick_interval_ns=interval_ns))
        advance(min(1.0, (begin + _STEP_ROWS) / max(1, len(rows))), tape.name)
    return FeatureTable.joined(tables), len(rows)


def fill_cross_assets(tables: Mapping[str, FeatureTable], reference: str, interval_ns: int) -> None:
    """Fill the cross-asset columns of tables by instrument key."""
    from dataflows.cross_assets import fill_table  # noqa: PLC0415  # its kernels: for compiled tapes alone

    for table in tables.values():
        fill_table(table, tables.get(reference), interval_ns)


def blocks(tables: Mapping[str, FeatureTable]) -> Iterator[pl.DataFrame]:
    """Yield the rows of all instruments in the order of time, then instrument, in tables of bounded size."""
    times = np.unique(np.concatenate([np.empty(0, np.int64), *(table.times_ns for table in tables.values())]))
    step = max(1, _BLOCK_ROWS // max(1, len(tables)))
    for begin in range(0, len(times), step):
        first, last = times[begin], times[min(begin + step, len(times)) - 1]
        parts = []
        for key in sorted(tables):
            start, end = np.searchsorted(tables[key].times_ns, (first, last + 1))
            parts.append(_block(key, tables[key][int(start) : int(end)], int(start)))
        yield pl.concat(parts).sort("event_time", "instrument", maintain_order=True)


def _block(key: str, table: FeatureTable, before: int) -> pl.DataFrame:
    bids, asks = table.tops[:, 0], table.tops[:, 2]
    return features_table(
        table.values, table.schema,
        instruments=[key] * len(table),
        times_ns=table.times_ns,
        sequences=np.arange(before + 1, before + 1 + len(table)),
        synced=np.isfinite(bids) & np.isfinite(asks),
        best_bids=bids,
        best_asks=asks,
    )

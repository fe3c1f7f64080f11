"""Feature rows of a tape to train on, made by the actors that make them live; see `dataflows.extraction.rows`."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from dataflows.actors.market_rows import FeatureRow
from dataflows.extraction.rows import TapeRows
from dataflows.indicators.schema import MARKET_SCHEMA, FeatureSchema
from sluice.instruments import InstrumentCatalog

#: Lines between two calls of the progress function, and some.
PROGRESS_LINES = 20_000


def feature_rows(
    tapes: Sequence[Path], catalog: InstrumentCatalog, interval_ns: int,
    on_progress: Callable[[int], None] | None = None, *, schema: FeatureSchema = MARKET_SCHEMA, reference: str = "",
) -> Iterator[FeatureRow]:
    """Yield the rows of every tick, at one tick in the order of the instruments' keys.

    `on_progress` gets the number of lines read so far; `reference` is the key of the instrument that cross-asset
    columns are to. Raises `NotFoundError` or `InputError` as `TapeReader` does.
    """
    found = TapeRows(catalog, interval_ns, schema, reference=reference)
    told = 0
    if on_progress is not None:
        on_progress(told)
    for rows in found.ticks(tapes):
        if on_progress is not None and found.lines - told >= PROGRESS_LINES:
            told = found.lines
            on_progress(told)
        yield from rows

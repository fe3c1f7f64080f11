"""Features of a whole compiled tape at once, for research: the actor's own kernels over its rows, in one call.

The rows are what an actor says that gets the tape in pieces of any length, bit for bit, and no row knows of what comes
after its tick. The end of the tape is no tick: a row is made where the tape goes on.
"""

from pathlib import Path

import numpy as np

from dataflows.actors.market_rows import FeatureTable
from dataflows.indicators.schema import MARKET_SCHEMA, FeatureSchema
from dataflows.market_actors import market_actor
from dataflows.tapes.compiled import load_compiled
from dataflows.tapes.rows import DEPTH_SNAPSHOT_EVENT, Rows
from sluice.instruments import Instrument

SECOND_NS = 1_000_000_000


def compute(
    tape: Rows | Path, instrument: Instrument, schema: FeatureSchema = MARKET_SCHEMA, *,
    tick_interval_ns: int = SECOND_NS, starts_known: bool | None = None,
) -> FeatureTable:
    """Return the features of an instrument at every tick of a compiled tape of it.

    The book is unknown until the tape's first snapshot, unless the tape `starts_known`, that is, holds every level
    since the book was empty. None takes that for so where there is no snapshot at all. Raises `InputError` where the
    file is no compiled tape or the interval is not positive.
    """
    rows = load_compiled(tape) if isinstance(tape, Path) else tape
    if starts_known is None:
        starts_known = not has_snapshot(rows)
    return market_actor(instrument, schema).on_rows(
        rows, tick_interval_ns=tick_interval_ns, starts_known=starts_known)


def has_snapshot(rows: Rows) -> bool:
    """Tell whether rows hold a snapshot of the book."""
    return bool(((rows["ev"] & np.uint64(0xFF)) == DEPTH_SNAPSHOT_EVENT).any())

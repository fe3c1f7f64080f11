"""The market actor with the full set of features: the light actor, and observers of every event it takes in.

Its rows begin with the light actor's columns, with the same bits. Only the cross-asset columns are not known here and
stay invalid: a later stage fills them. Whoever needs the light set alone does not import this module, and compiles
nothing of it.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dataflows.actors import extended_batches, extended_features, extended_frames, extended_state
from dataflows.actors.market import SECOND_NS, FeatureTable, MarketActor
from dataflows.indicators.bar_lengths import parse_lengths
from dataflows.indicators.schema import FeatureSchema
from dataflows.indicators.schemas import FULL_BARS, full_schema
from dataflows.kernels import Integers
from dataflows.tapes.rows import Rows
from sluice.instruments import Instrument

__all__ = ["FullMarketActor"]

_USUAL_BARS_NS = parse_lengths(FULL_BARS)


class FullMarketActor(MarketActor):
    """All that is known of one instrument, for the full set of features.

    `bars_ns` are the lengths of the bars that have technical indicators; a snapshot must be of the same ones. Raises
    `InputError` where a snapshot cannot be read or a length is no whole number of seconds.
    """

    def __init__(
        self, instrument: Instrument, snapshot: bytes | None = None, *, bar_interval_ns: int = SECOND_NS,
        bars_ns: Sequence[int] = _USUAL_BARS_NS,
    ) -> None:
        self._schema = full_schema(tuple(bars_ns))
        if snapshot is None:
            self._full = extended_state.new_state(instrument, bar_interval_ns, bars_ns)
        else:
            self._full = extended_state.read(snapshot, instrument, bar_interval_ns, bars_ns)
        self._prepare(instrument, self._full.market)

    @property
    def schema(self) -> FeatureSchema:
        """Return the schema of the rows."""
        return self._schema

    def snapshot(self) -> bytes:
        """Return the whole state: versioned, checksummed, and restored exactly by the constructor."""
        return extended_state.write(self._full)

    def _run_frames(
        self, buffer: NDArray[np.uint8], starts: Integers, ends: Integers, times_ns: Integers, begin: int, read: bool,
    ) -> tuple[int, int]:
        scratch = self._scratch
        return extended_frames.on_frames(
            *self._full, buffer, starts, ends, times_ns, self._symbol_text, begin, read,
            scratch.frame, scratch.keys, scratch.quantities)

    def _run_rows(self, rows: Rows, begin: int, interval_ns: int, table: FeatureTable) -> tuple[int, int]:
        return extended_batches.on_rows(
            *self._full, rows, begin, interval_ns, table.times_ns, table.tops, table.values)

    def _run_tick(self, tick_time_ns: int) -> bool:
        return extended_features.on_tick(*self._full, tick_time_ns, self._best, self._values, self._valid)

"""The cross-asset features of a tick: filled in once the rows of all instruments stand beside each other.

An actor knows one instrument alone and leaves these columns not valid. What is computed is `indicators.cross_asset`;
this keeps a state an instrument and says which one is the reference. Pure: the same rows give the same rows.
"""

import math
from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

from dataflows.actors.market_rows import FeatureRow, FeatureTable
from dataflows.indicators import cross_asset
from dataflows.indicators.schema import FeatureSchema
from dataflows.kernels import Floats, Integers, RecordArray, kernel
from dataflows.ticks import LONGEST_SILENCE_NS
from sluice.errors import InputError

WIDTH = len(cross_asset.FEATURES)
_FIRST = cross_asset.FEATURES[0].name


@kernel
def on_tick(states: RecordArray, mid: float, reference_mid: float, values: Floats) -> None:
    """Take in the mid prices of a tick and fill the features."""
    cross_asset.on_tick(states[0], mid, reference_mid)
    cross_asset.fill(states[0], values)


@kernel
def on_ticks(
    states: RecordArray, times_ns: Integers, mids: Floats, reference_mids: Floats, silence_ns: int, values: Floats
) -> None:
    """Do the same for many ticks, shape (ticks,) each, into `values` of shape (ticks, `WIDTH`)."""
    for tick in range(times_ns.size):
        if tick > 0 and times_ns[tick] - times_ns[tick - 1] > silence_ns:
            cross_asset.restart(states[0])
        cross_asset.on_tick(states[0], mids[tick], reference_mids[tick])
        cross_asset.fill(states[0], values[tick])


class CrossAssets:
    """The states of all instruments of a run. `snapshot` is what `snapshot()` gave.

    Everything is forgotten after a silence that the ticks have jumped over. Raises `InputError` where a snapshot cannot
    be read.
    """

    def __init__(
        self, schema: FeatureSchema, reference: str, interval_ns: int, snapshot: Mapping[str, bytes] | None = None,
        last_ns: int = 0,
    ) -> None:
        self._schema = schema
        self._reference = reference
        self._column = schema.features.index(_FIRST) if _FIRST in schema.features else -1
        self._silence_ns = longest_step_ns(interval_ns)
        self._states = {key: _restored(key, state) for key, state in (snapshot or {}).items()}
        self._values = np.empty(WIDTH)
        self.last_ns = last_ns

    def on_tick(self, rows: Sequence[FeatureRow]) -> list[FeatureRow]:
        """Return the rows of one tick with their cross-asset columns; as they are where the schema has none.

        Raises `InputError` where a row is of another schema.
        """
        for row in rows:
            if row.schema_hash != self._schema.hash:
                raise InputError(
                    f"a row must be of schema {self._schema.name} {self._schema.hash[:12]}, was of "
                    f"{row.schema_hash[:12]}")
        if self._column < 0 or not rows:
            return list(rows)
        self._advance(rows[0].event_time_ns)
        reference_mid = next((mid_of(row) for row in rows if row.instrument == self._reference), math.nan)
        return [self._filled(row, reference_mid) for row in rows]

    def snapshot(self) -> dict[str, bytes]:
        """Return the state of each instrument."""
        return {key: state.tobytes() for key, state in self._states.items()}

    def _advance(self, time_ns: int) -> None:
        if time_ns - self.last_ns > self._silence_ns:
            self._states.clear()
        self.last_ns = time_ns

    def _filled(self, row: FeatureRow, reference_mid: float) -> FeatureRow:
        if row.instrument not in self._states:
            self._states[row.instrument] = np.zeros(1, cross_asset.CROSS_ASSET)
        on_tick(self._states[row.instrument], mid_of(row), reference_mid, self._values)
        begin, end = self._column, self._column + WIDTH
        values = (*row.values[:begin], *self._values.tolist(), *row.values[end:])
        valid = (*row.valid[:begin], *np.isfinite(self._values).tolist(), *row.valid[end:])
        return msgspec.structs.replace(row, values=values, valid=valid)


def fill_table(table: FeatureTable, reference: FeatureTable | None, interval_ns: int) -> None:
    """Fill the cross-asset columns of an instrument's table from the table of the reference, None where there is none.

    The values are those of `CrossAssets` on the same rows. Nothing is done where the schema has no such columns.
    """
    if _FIRST not in table.schema.features:
        return
    column = table.schema.index(_FIRST)
    reference_mids = np.full(len(table), np.nan)
    if reference is not None and len(reference) > 0:
        at = np.searchsorted(reference.times_ns, table.times_ns).clip(max=len(reference) - 1)
        same = reference.times_ns[at] == table.times_ns
        reference_mids[same] = _mids(reference)[at[same]]
    values = np.empty((len(table), WIDTH))
    state = np.zeros(1, cross_asset.CROSS_ASSET)
    on_ticks(state, table.times_ns, _mids(table), reference_mids, longest_step_ns(interval_ns), values)
    table.values[:, column : column + WIDTH] = values


def longest_step_ns(interval_ns: int) -> int:
    """Return the longest time between two ticks over which a return is still one of a tick."""
    return max(interval_ns, LONGEST_SILENCE_NS)


def mid_of(row: FeatureRow) -> float:
    """Return the mid price of a row, NaN while its book is not in step."""
    return 0.5 * (row.top.best_bid + row.top.best_ask) if row.top.synced else math.nan


def _mids(table: FeatureTable) -> Floats:
    mids: Floats = 0.5 * (table.tops[:, 0] + table.tops[:, 2])
    return mids


def _restored(key: str, state: bytes) -> RecordArray:
    if len(state) != cross_asset.CROSS_ASSET.itemsize:
        raise InputError(f"the cross-asset state of {key} must have {cross_asset.CROSS_ASSET.itemsize} bytes, "
                         f"had {len(state)}", fix="start without the snapshot and read the stream from its beginning")
    return np.frombuffer(state, cross_asset.CROSS_ASSET).copy()

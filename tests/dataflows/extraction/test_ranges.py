"""What the registry says of the columns holds on recordings: ranges, warm-up in seconds, the light set's own bits."""

from functools import cache

import numpy as np
import polars as pl
import pytest

from dataflows.actors.market_rows import FeatureRow
from dataflows.extraction.rows import TapeRows
from dataflows.extraction.tables import table_of
from dataflows.indicators.registry import Clock
from dataflows.indicators.schema import MARKET_SCHEMA, FeatureSchema
from dataflows.indicators.schemas import FULL_SCHEMA
from sluice.instruments import InstrumentCatalog
from tests.conftest import recorded_data

BTC = "BINANCE_USDM:BTCUSDT"
SECOND_NS = 1_000_000_000
TAPES = ("usdm_btcusdt_20240808.gz", "cm_btcusd_perp_20240808.gz")

pytestmark = pytest.mark.needs("data")


@cache
def rows_of(schema: FeatureSchema) -> list[FeatureRow]:
    """Return the rows of the recordings of a linear and an inverse contract."""
    tapes = [recorded_data() / "ticks" / name for name in TAPES]
    found = TapeRows(InstrumentCatalog.shipped(), SECOND_NS, schema, reference=BTC)
    return [row for rows in found.ticks(tapes) for row in rows]


@cache
def table() -> pl.DataFrame:
    return table_of(rows_of(FULL_SCHEMA), FULL_SCHEMA)


def test_every_valid_value_is_finite_and_in_its_range() -> None:
    outside = [
        (entry.name, low, high) for entry in FULL_SCHEMA.entries if (values := table()[entry.name].drop_nulls()).len()
        for low, high in [(values.min(), values.max())]
        if not (entry.low <= low and high <= entry.high and values.is_finite().all())]  # type: ignore[operator]  # floats
    assert outside == []


def test_most_columns_become_valid_on_a_recording_of_minutes() -> None:
    valid = [name for name in FULL_SCHEMA.features if table()[name].count() > 0]
    assert len(valid) > 130


def test_the_first_columns_are_the_light_rows_to_the_bit() -> None:
    width = len(MARKET_SCHEMA.features)
    light, full = rows_of(MARKET_SCHEMA), rows_of(FULL_SCHEMA)
    assert [row.valid for row in light] == [row.valid[:width] for row in full]
    expected, found = (np.array([row.values[:width] for row in rows]) for rows in (light, full))
    assert expected.tobytes() == found.tobytes()


def test_no_column_is_valid_before_its_warm_up() -> None:
    own = table().filter(pl.col("instrument") == BTC)
    for entry in FULL_SCHEMA.entries:
        first = own[entry.name].is_not_null().arg_max()
        if entry.warm_up.clock in (Clock.SECONDS, Clock.TICKS) and own[entry.name].count() > 0:
            # The first tick comes within the first second, so that the n-th one has seen n - 1 whole seconds.
            assert first is not None
            assert first >= entry.warm_up.count - 1, entry.name

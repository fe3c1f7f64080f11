"""Cross-asset columns of ticks: filled from the rows of all instruments, the same in a stream and over tables."""

import math

import numpy as np
import pytest

from dataflows.actors.market_rows import BookTop, FeatureRow, FeatureTable
from dataflows.cross_assets import WIDTH, CrossAssets, fill_table, longest_step_ns
from dataflows.indicators.schema import MARKET_SCHEMA, FeatureSchema
from dataflows.indicators.schemas import FULL_SCHEMA
from sluice.errors import InputError

BTC, ETH, SOL = (f"BINANCE_USDM:{base}USDT" for base in ("BTC", "ETH", "SOL"))
SECOND = 1_000_000_000
FIRST = FULL_SCHEMA.index("reference_correlation_60_ticks")
RNG = np.random.default_rng(5)
MIDS = 100.0 * np.exp(np.cumsum(RNG.normal(0.0, 1e-4, (400, 3)) + RNG.normal(0.0, 1e-4, (400, 1)), axis=0))
#: A book that is out of step for a while.
MIDS[100:103, 1] = math.nan


def a_row(key: str, tick: int, mid: float, schema: FeatureSchema = FULL_SCHEMA) -> FeatureRow:
    width, known = len(schema.features), math.isfinite(mid)
    top = BookTop(mid - 0.5, 1.0, mid + 0.5, 1.0, math.nan, known, 1)
    return FeatureRow(key, tick * SECOND, tick, schema.hash, (float(tick),) * width, (True,) * width, top, 1, 0)


def rows_at(tick: int, keys: tuple[str, ...] = (BTC, ETH, SOL)) -> list[FeatureRow]:
    return [a_row(key, tick + 1, float(MIDS[tick, column])) for column, key in enumerate(keys)]


def columns(row: FeatureRow) -> tuple[float, ...]:
    return row.values[FIRST : FIRST + WIDTH]


def streamed(ticks: int = 400) -> list[list[FeatureRow]]:
    stage = CrossAssets(FULL_SCHEMA, BTC, SECOND)
    return [stage.on_tick(rows_at(tick)) for tick in range(ticks)]


def test_columns_are_filled_and_no_other_is_touched() -> None:
    made = streamed(70)[-1]
    for row in made:
        assert set(row.values[:FIRST]) | set(row.values[FIRST + WIDTH :]) == {70.0}
        assert row.valid[FIRST : FIRST + WIDTH] == tuple(map(math.isfinite, columns(row)))
    correlation, beta = columns(made[1])[0], columns(made[1])[3]
    returns = np.diff(np.log(MIDS[9:70]), axis=0)
    assert correlation == pytest.approx(np.corrcoef(returns[:, 1], returns[:, 0])[0, 1], rel=1e-9)
    assert beta == pytest.approx(np.polyfit(returns[:, 0], returns[:, 1], 1)[0], rel=1e-9)
    assert columns(made[0])[0] == pytest.approx(1.0)


def test_nothing_is_valid_before_the_windows_are_full_nor_without_the_reference() -> None:
    assert not any(map(math.isfinite, columns(streamed(60)[-1][1])))
    assert math.isfinite(columns(streamed(61)[-1][1])[0])
    stage = CrossAssets(FULL_SCHEMA, "BINANCE_USDM:MOONUSDT", SECOND)
    made = [stage.on_tick(rows_at(tick)) for tick in range(80)][-1]
    assert not any(valid for row in made for valid in row.valid[FIRST : FIRST + WIDTH])


def test_a_book_out_of_step_invalidates_the_windows_that_reach_over_it() -> None:
    made = streamed(300)
    assert math.isnan(columns(made[102][1])[0])
    assert math.isnan(columns(made[162][1])[0])
    assert math.isfinite(columns(made[163][1])[0])
    assert math.isfinite(columns(made[102][2])[0])


def test_a_snapshot_anywhere_goes_on_with_the_same_values() -> None:
    expected = streamed(120)
    stage = CrossAssets(FULL_SCHEMA, BTC, SECOND)
    for tick in range(120):
        if tick % 7 == 0:
            stage = CrossAssets(FULL_SCHEMA, BTC, SECOND, stage.snapshot(), stage.last_ns)
        # NaN is not equal to itself
        assert repr(stage.on_tick(rows_at(tick))) == repr(expected[tick])


def test_a_table_is_filled_with_the_values_of_the_stream() -> None:
    made, times = streamed(), np.arange(1, 401) * SECOND
    tables = []
    for column in range(3):
        tops = np.column_stack([MIDS[:, column] - 0.5, np.ones(400), MIDS[:, column] + 0.5, np.ones(400)])
        tables.append(FeatureTable(FULL_SCHEMA, times, np.zeros((400, len(FULL_SCHEMA.features))), tops))
    fill_table(tables[1], tables[0], SECOND)
    expected = np.array([columns(rows[1]) for rows in made])
    np.testing.assert_array_equal(tables[1].values[:, FIRST : FIRST + WIDTH], expected)
    later = tables[2][50:]
    fill_table(later, tables[0][:200], SECOND)
    assert np.isfinite(later.values[100, FIRST])
    assert np.isnan(later.values[200:, FIRST : FIRST + WIDTH]).all()
    fill_table(tables[2], None, SECOND)
    assert np.isnan(tables[2].values[:, FIRST : FIRST + WIDTH]).all()
    assert (tables[2].values[:, FIRST - 1] == 0.0).all()


def test_everything_is_forgotten_after_a_silence_that_ticks_have_jumped_over() -> None:
    stage = CrossAssets(FULL_SCHEMA, BTC, SECOND)
    for tick in range(80):
        stage.on_tick(rows_at(tick))
    step = longest_step_ns(SECOND) // SECOND
    soon = [a_row(key, 80 + step, 100.0) for key in (BTC, ETH)]
    late = [a_row(key, 81 + 2 * step, 100.0) for key in (BTC, ETH)]
    assert math.isfinite(columns(stage.on_tick(soon)[1])[0])
    assert math.isnan(columns(stage.on_tick(late)[1])[0])


def test_rows_of_the_light_set_pass_as_they_are_and_of_another_set_are_refused() -> None:
    light = [a_row(BTC, 1, 100.0, MARKET_SCHEMA)]
    assert CrossAssets(MARKET_SCHEMA, BTC, SECOND).on_tick(light) == light
    with pytest.raises(InputError, match="a row must be of schema full"):
        CrossAssets(FULL_SCHEMA, BTC, SECOND).on_tick(light)


def test_a_state_of_another_size_is_refused() -> None:
    with pytest.raises(InputError, match="the cross-asset state of"):
        CrossAssets(FULL_SCHEMA, BTC, SECOND, {BTC: b"\0" * 8})

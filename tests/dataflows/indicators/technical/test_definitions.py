"""What TA-Lib does not have, against the plain definitions, written here from the publications, on real bars."""

import math
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import talib

from dataflows.indicators.technical import batch
from dataflows.kernels import Floats, RecordArray
from tests.dataflows.indicators.technical.histories import MINUTE_NS, random_bars, real_bars

DAY_NS = 86_400_000_000_000


@pytest.fixture(params=[
    pytest.param("BTCUSDT", marks=pytest.mark.needs("data")),
    pytest.param("1000PEPEUSDT", marks=pytest.mark.needs("data")),
    "random",
])
def bars(request: pytest.FixtureRequest, data_folder: Path) -> RecordArray:
    return random_bars(4, 700) if request.param == "random" else real_bars(data_folder, request.param)


def frame(bars: RecordArray) -> pl.DataFrame:
    return pl.DataFrame({name: bars[name].copy() for name in ("high", "low", "close", "volume")})


def values(rows: pl.DataFrame, expression: pl.Expr) -> Floats:
    return rows.select(expression.cast(pl.Float64).fill_null(math.nan)).to_series().to_numpy()


def assert_same(ours: Floats, expected: Floats, scale: float = 0.0) -> None:
    np.testing.assert_array_equal(np.isnan(ours), np.isnan(expected))
    np.testing.assert_allclose(ours, expected, rtol=1e-9, atol=1e-9 * scale)


def middle(period: int) -> pl.Expr:
    return (pl.col("high").rolling_max(period) + pl.col("low").rolling_min(period)) / 2


@pytest.mark.parametrize("lengths", [(9, 26, 52, 26), (7, 22, 44, 10)])
def test_ichimoku_lines_stand_where_a_chart_draws_them(bars: RecordArray, lengths: tuple[int, int, int, int]) -> None:
    conversion, base, span, displacement = lengths
    rows = frame(bars)
    ours = batch.ichimoku(bars["high"], bars["low"], bars["close"], *lengths)
    assert_same(ours.conversion, values(rows, middle(conversion)))
    assert_same(ours.base, values(rows, middle(base)))
    assert_same(ours.span_a, values(rows, ((middle(conversion) + middle(base)) / 2).shift(displacement)))
    assert_same(ours.span_b, values(rows, middle(span).shift(displacement)))
    assert_same(ours.lagging, values(rows, pl.col("close") - pl.col("close").shift(displacement)))


def seban(bars: RecordArray, period: int, multiplier: float) -> tuple[list[float], list[float]]:
    """Follow SuperTrend bar by bar: both final bands, then the side that the close is on."""
    high, low, close = (bars[name].copy() for name in ("high", "low", "close"))
    line, direction = [math.nan] * period, [math.nan] * period
    reach, half = multiplier * talib.ATR(high, low, close, period), (high + low) / 2
    upper, lower, rising = math.inf, -math.inf, False
    for bar in range(period, len(bars)):
        basic_upper, basic_lower = half[bar] + reach[bar], half[bar] - reach[bar]
        if basic_upper < upper or close[bar - 1] > upper:
            upper = basic_upper
        if basic_lower > lower or close[bar - 1] < lower:
            lower = basic_lower
        if bar > period:
            rising = close[bar] >= lower if rising else close[bar] > upper
        line.append(lower if rising else upper)
        direction.append(1.0 if rising else -1.0)
    return line, direction


@pytest.mark.parametrize(("period", "multiplier"), [(10, 3.0), (7, 1.5)])
def test_supertrend_follows_its_definition(bars: RecordArray, period: int, multiplier: float) -> None:
    ours = batch.supertrend(bars["high"], bars["low"], bars["close"], period, multiplier)
    line, direction = seban(bars, period, multiplier)
    assert_same(ours.line, np.array(line))
    np.testing.assert_array_equal(ours.direction, direction)
    assert {-1.0, 1.0} <= set(ours.direction.tolist())


def test_supertrend_line_moves_only_with_its_trend(bars: RecordArray) -> None:
    line, direction = batch.supertrend(bars["high"], bars["low"], bars["close"])
    stays = direction[1:] == direction[:-1]
    assert (np.diff(line)[stays] * direction[1:][stays] >= 0.0).all()
    assert ((bars["close"] - line) * direction >= 0.0)[10:].all()


@pytest.mark.parametrize(("period", "range_period", "multiplier"), [(20, 10, 2.0), (10, 14, 1.0)])
def test_keltner_channel_is_an_exponential_average_and_average_true_ranges(
    bars: RecordArray, period: int, range_period: int, multiplier: float,
) -> None:
    high, low, close = (bars[name].copy() for name in ("high", "low", "close"))
    centre, reach = talib.EMA(close, period), multiplier * talib.ATR(high, low, close, range_period)
    ours = batch.keltner(high, low, close, period, range_period, multiplier)
    assert_same(ours.upper, centre + reach)
    assert_same(ours.lower, centre - reach)
    assert_same(ours.position, (close - centre + reach) / (2 * reach), 1e-3)


@pytest.mark.parametrize("period", [5, 20])
def test_position_in_the_donchian_channel_is_that_of_the_close(bars: RecordArray, period: int) -> None:
    lowest, highest = pl.col("low").rolling_min(period), pl.col("high").rolling_max(period)
    place = pl.when(highest == lowest).then(0.5).otherwise((pl.col("close") - lowest) / (highest - lowest))
    place = pl.when(lowest.is_not_null()).then(place)
    assert_same(batch.donchian(bars["high"], bars["low"], bars["close"], period).position, values(frame(bars), place))


@pytest.mark.parametrize(("period", "width"), [(20, 2.0), (5, 1.5)])
def test_percent_b_and_bandwidth_are_of_the_bands(bars: RecordArray, period: int, width: float) -> None:
    windows = np.lib.stride_tricks.sliding_window_view(bars["close"].copy(), period)
    mean, reach = windows.mean(axis=1), width * windows.std(axis=1)
    warm = np.full(period - 1, np.nan)
    ours = batch.bollinger(bars["close"], period, width)
    place = (windows[:, -1] - (mean - reach)) / (2 * reach)
    assert_same(ours.percent_b, np.concatenate([warm, place]), 1e-3)
    assert_same(ours.bandwidth, np.concatenate([warm, 2 * reach / mean]))


def test_session_price_is_weighted_by_volume_since_midnight(bars: RecordArray) -> None:
    length = 5 * MINUTE_NS if len(bars) == 2016 else MINUTE_NS
    opened = bars["index"] * length
    typical = (pl.col("high") + pl.col("low") + pl.col("close")) / 3
    rows = frame(bars).with_columns(day=pl.Series(opened // DAY_NS), traded=typical * pl.col("volume"))
    rows = rows.with_columns(pl.col("traded", "volume").cum_sum().over("day"))
    expected = pl.when(pl.col("volume") > 0).then(pl.col("traded") / pl.col("volume")).otherwise(pl.col("close"))
    ours = batch.session_vwap(opened, bars["high"], bars["low"], bars["close"], bars["volume"])
    assert_same(ours, values(rows, expected))


@pytest.mark.parametrize("period", [1, 3, 20])
def test_rolling_price_is_weighted_by_the_volume_of_the_period(bars: RecordArray, period: int) -> None:
    typical = (pl.col("high") + pl.col("low") + pl.col("close")) / 3
    rows = frame(bars).with_columns(traded=typical * pl.col("volume"))
    sums = [np.convolve(rows[name].to_numpy(), np.ones(period))[: len(bars)] for name in ("traded", "volume")]
    silent = sums[1] == 0.0
    expected = np.where(silent, bars["close"], sums[0] / np.where(silent, 1.0, sums[1]))
    expected[: period - 1] = np.nan
    assert silent.any() or period == 20
    ours = batch.rolling_vwap(bars["high"], bars["low"], bars["close"], bars["volume"], period)
    assert_same(ours, expected)


@pytest.mark.parametrize("period", [3, 20])
def test_change_of_on_balance_volume_is_that_of_the_running_sum(bars: RecordArray, period: int) -> None:
    close, volume = bars["close"].copy(), bars["volume"].copy()
    total = pl.Series(talib.OBV(close, volume))
    change = total.diff(period).fill_null(math.nan).to_numpy()
    traded = pl.Series(volume).rolling_sum(period).fill_null(math.nan).to_numpy()
    ours = batch.on_balance_volume(close, volume, period)
    assert_same(ours.change, change, float(volume.sum()) * 1e-6)
    assert_same(ours.balance, np.where(traded == 0.0, 0.0, change / np.maximum(traded, 1e-300)), 1e-3)


def test_strength_of_a_rise_is_forgotten_when_it_has_faded_and_not_before() -> None:
    close = np.concatenate([np.arange(1.0, 31.0), np.full(12_000, 30.0)])
    strength = batch.rsi(close)
    assert strength[8000] == 100.0
    assert strength[-1] == 50.0

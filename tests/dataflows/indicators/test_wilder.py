from pathlib import Path

import numpy as np
import polars as pl
import pytest
import talib

from dataflows.indicators import wilder
from dataflows.indicators.wilder import PERIOD, WILDER
from dataflows.kernels import Floats, RecordArray, kernel


@kernel
def feed(state: RecordArray, high: Floats, low: Floats, close: Floats, out: Floats) -> None:
    for bar in range(high.size):
        wilder.add_bar(state[0], high[bar], low[bar], close[bar])
        if wilder.has_range_and_strength(state[0]):
            out[bar, 0] = state[0].average_true_range
            out[bar, 1] = wilder.relative_strength(state[0])
        if wilder.has_direction(state[0]):
            out[bar, 2] = state[0].average_directional_index


@kernel
def forget(state: RecordArray) -> None:
    wilder.restart(state[0])


def indicators(high: Floats, low: Floats, close: Floats, state: RecordArray | None = None) -> Floats:
    out = np.full((len(high), 3), np.nan)
    feed(np.zeros(1, WILDER) if state is None else state, high, low, close, out)
    return out


def random_bars(seed: int, number: int, tick: float = 0.0) -> tuple[Floats, Floats, Floats]:
    random = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(random.normal(0, 0.01, number)))
    high = np.maximum(close, np.roll(close, 1)) + random.exponential(0.3, number)
    low = np.minimum(close, np.roll(close, 1)) - random.exponential(0.3, number)
    if tick:
        close, high, low = (np.round(values / tick) * tick for values in (close, high, low))
    return high, low, close


def assert_equals_talib(high: Floats, low: Floats, close: Floats) -> None:
    ours = indicators(high, low, close)
    judges = (talib.ATR(high, low, close, PERIOD), talib.RSI(close, PERIOD), talib.ADX(high, low, close, PERIOD))
    for column, judge in enumerate(judges):
        np.testing.assert_array_equal(np.isnan(ours[:, column]), np.isnan(judge))
        np.testing.assert_allclose(ours[:, column], judge, rtol=1e-9)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("tick", [0.0, 0.5])
def test_indicators_equal_talib_on_random_bars_from_their_first_value_on(seed: int, tick: float) -> None:
    assert_equals_talib(*random_bars(seed, 500, tick))


@pytest.mark.needs("data")
@pytest.mark.parametrize("symbol", ["BTC", "ETH", "SOL"])
def test_indicators_equal_talib_on_real_bars(data_folder: Path, symbol: str) -> None:
    path = data_folder / "klines" / "binance_um_klines_1m_20250504_20250624.parquet"
    bars = pl.scan_parquet(path).filter(pl.col("symbol").str.starts_with(symbol)).head(20_000).collect()
    assert len(bars) == 20_000
    high, low, close = (bars[name].to_numpy().astype(np.float64) for name in ("high", "low", "close"))
    assert_equals_talib(high, low, close)


def test_strength_is_neutral_and_range_and_direction_are_nothing_when_no_price_moves() -> None:
    flat = np.full(40, 100.0)
    assert indicators(flat, flat, flat)[-1].tolist() == [0.0, 50.0, 0.0]


def test_direction_is_talibs_when_a_price_begins_to_move_late() -> None:
    high, low, close = random_bars(1, 100)
    for values in (high, low, close):
        values[:20] = 100.0
    ours = indicators(high, low, close)[:, 2]
    np.testing.assert_allclose(ours[40:], talib.ADX(high, low, close, PERIOD)[40:], rtol=1e-9)


def test_indicators_begin_anew_after_a_restart() -> None:
    state = np.zeros(1, WILDER)
    bars = random_bars(2, 60)
    first = indicators(*bars, state)
    forget(state)
    np.testing.assert_array_equal(indicators(*bars, state), first)

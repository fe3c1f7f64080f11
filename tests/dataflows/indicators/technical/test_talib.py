"""TA-Lib as the judge, on real bars, from its first value on."""

from pathlib import Path

import numpy as np
import pytest
import talib
from _pytest.mark.structures import ParameterSet
from talib._ta_lib import MA_Type

from dataflows.indicators.technical import batch
from dataflows.kernels import Floats, RecordArray
from tests.dataflows.indicators.technical.histories import FIVE_MINUTES, ONE_MINUTE, flat_bars, random_bars, real_bars

PERIODS = (2, 5, 14, 50)
SIMPLE = MA_Type.SMA


def of_data(name: str) -> ParameterSet:
    return pytest.param(name, marks=pytest.mark.needs("data"))


@pytest.fixture(params=[of_data("BTCUSDT"), of_data("1000PEPEUSDT"), of_data("ADAUSDT"), "random", "coarse"])
def bars(request: pytest.FixtureRequest, data_folder: Path) -> RecordArray:
    """Bars of a high price, a price below a thousandth (both with a halt), one by the minute, and made up ones."""
    if request.param in {"random", "coarse"}:
        return random_bars(3, 700, 0.5 if request.param == "coarse" else 0.0)
    file = ONE_MINUTE if request.param == "ADAUSDT" else FIVE_MINUTES
    return real_bars(data_folder, request.param, file)


def assert_same(ours: Floats, judge: Floats, later: int = 0, scale: float = 0.0) -> None:
    """Compare to 1e-9 relative, or of a scale where the value is a difference; both begin with the same bar."""
    first = int(np.isfinite(ours).argmax())
    assert np.isnan(ours[:first]).all()
    assert int(np.isfinite(judge).argmax()) == first + later
    np.testing.assert_allclose(ours[first + later :], judge[first + later :], rtol=1e-9, atol=1e-9 * scale)


@pytest.mark.parametrize("period", PERIODS)
def test_averages_are_talibs(bars: RecordArray, period: int) -> None:
    close = bars["close"].copy()
    assert_same(batch.sma(close, period), talib.SMA(close, period))
    assert_same(batch.ema(close, period), talib.EMA(close, period))


@pytest.mark.parametrize("period", PERIODS)
def test_strength_and_rate_of_change_are_talibs(bars: RecordArray, period: int) -> None:
    close = bars["close"].copy()
    assert_same(batch.rate_of_change_bps(close, period), 100.0 * talib.ROC(close, period))
    assert_same(batch.rsi(close, period), talib.RSI(close, period))


@pytest.mark.parametrize(("fast", "slow", "signal"), [(12, 26, 9), (3, 10, 16)])
def test_convergence_and_divergence_are_talibs(bars: RecordArray, fast: int, slow: int, signal: int) -> None:
    close = bars["close"].copy()
    ours = batch.macd(close, fast, slow, signal)
    judge = talib.MACD(close, fast, slow, signal)
    scale = 1e-3 * float(close.mean())
    assert_same(ours.line, judge[0], signal - 1, scale)
    assert_same(ours.signal, judge[1], scale=scale)
    assert_same(ours.histogram, judge[2], scale=scale)


@pytest.mark.parametrize(("period", "width"), [(20, 2.0), (5, 1.5)])
def test_bollinger_bands_are_talibs(bars: RecordArray, period: int, width: float) -> None:
    # TA-Lib takes a variance below 1e-14 for 0, so it is shown prices that are not small.
    close = bars["close"] * 1e4
    ours = batch.bollinger(close, period, width)
    upper, middle, lower = talib.BBANDS(close, period, width, width)
    assert_same(ours.middle, middle)
    assert_same(ours.upper, upper)
    assert_same(ours.lower, lower)


@pytest.mark.parametrize("period", PERIODS)
def test_ranges_and_channels_are_talibs(bars: RecordArray, period: int) -> None:
    high, low, close = (bars[name].copy() for name in ("high", "low", "close"))
    assert_same(batch.atr(high, low, close, period), talib.ATR(high, low, close, period))
    ours = batch.donchian(high, low, close, period)
    assert_same(ours.upper, talib.MAX(high, period))
    assert_same(ours.lower, talib.MIN(low, period))


@pytest.mark.parametrize("period", PERIODS)
def test_directional_movement_is_talibs(bars: RecordArray, period: int) -> None:
    high, low, close = (bars[name].copy() for name in ("high", "low", "close"))
    ours = batch.adx(high, low, close, period)
    assert_same(ours.adx, talib.ADX(high, low, close, period))
    assert_same(ours.plus, talib.PLUS_DI(high, low, close, period))
    assert_same(ours.minus, talib.MINUS_DI(high, low, close, period))


@pytest.mark.parametrize(("period", "smoothing", "signal"), [(14, 3, 3), (5, 1, 4)])
def test_stochastic_is_talibs(bars: RecordArray, period: int, smoothing: int, signal: int) -> None:
    high, low, close = (bars[name].copy() for name in ("high", "low", "close"))
    ours = batch.stochastic(high, low, close, period, smoothing, signal)
    judge = talib.STOCH(high, low, close, period, smoothing, SIMPLE, signal, SIMPLE)
    # TA-Lib's running sums leave a hair where %K is 0: 1e-12 of 100 is allowed for.
    assert_same(ours.k, judge[0], signal - 1, 1e-3)
    assert_same(ours.d, judge[1], scale=1e-3)


def test_on_balance_volume_is_talibs(bars: RecordArray) -> None:
    close, volume = bars["close"].copy(), bars["volume"].copy()
    assert_same(batch.on_balance_volume(close, volume).total, talib.OBV(close, volume))


def test_where_nothing_moves_strength_and_stochastic_are_in_the_middle_and_talibs_at_the_bottom() -> None:
    close = flat_bars(60, 0.1)["close"].copy()
    assert batch.rsi(close)[-1] == 50.0
    assert talib.RSI(close)[-1] == 0.0
    assert batch.stochastic(close, close, close).k[-1] == 50.0
    assert talib.STOCH(close, close, close, 14, 3, SIMPLE, 3, SIMPLE)[0][-1] == 0.0

import math
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from dataflows.indicators.statistical import ranges
from dataflows.kernels import Floats
from tests.dataflows.indicators.statistical import judges

Bars = tuple[Floats, Floats, Floats, Floats]


def brownian_bars(deviation: float, number: int, steps: int, seed: int) -> Bars:
    """Return bars of a price that walks in so many steps a bar, without a jump between two bars."""
    random = np.random.default_rng(seed)
    path = np.exp(np.cumsum(random.normal(0, deviation / math.sqrt(steps), (number, steps)).ravel()))
    path = np.concatenate([[1.0], path])
    inside = np.lib.stride_tricks.sliding_window_view(path, steps + 1)[::steps]
    return path[:-1:steps].copy(), inside.max(axis=1), inside.min(axis=1), path[steps::steps].copy()


def assert_formulas(bars: Bars) -> None:
    opening, high, low, close = bars
    squares = np.log(high / low) ** 2
    np.testing.assert_allclose(ranges.parkinson(high, low), np.sqrt(squares.mean() / (4 * np.log(2))), rtol=1e-9)
    body = np.log(close / opening) ** 2
    expected = np.sqrt((0.5 * squares - (2 * np.log(2) - 1) * body).mean())
    np.testing.assert_allclose(ranges.garman_klass(*bars), expected, rtol=1e-9)
    np.testing.assert_allclose(ranges.yang_zhang(*bars), judges.yang_zhang(*bars), rtol=1e-9)


@pytest.mark.needs("data")
def test_estimators_are_their_formulas_on_real_bars(data_folder: Path) -> None:
    path = data_folder / "klines" / "binance_um_klines_1m_20250504_20250624.parquet"
    frame = pl.scan_parquet(path).filter(pl.col("symbol").str.starts_with("BTC")).head(6_000).collect()
    columns = [frame[name].to_numpy().astype(np.float64) for name in ("open", "high", "low", "close")]
    for start in range(0, 6_000, 60):
        opening, high, low, close = (column[start : start + 60] for column in columns)
        assert_formulas((opening, high, low, close))


def test_estimators_find_the_volatility_of_a_walk_a_little_low_because_it_is_seen_in_steps() -> None:
    bars = brownian_bars(0.001, 2_000, 400, seed=1)
    assert_formulas(bars)
    for estimate in (ranges.parkinson(bars[1], bars[2]), ranges.garman_klass(*bars), ranges.yang_zhang(*bars)):
        assert estimate == pytest.approx(0.001, rel=0.06)


def test_only_yang_and_zhang_see_the_jumps_between_bars() -> None:
    opening, high, low, close = brownian_bars(0.001, 2_000, 50, seed=2)
    jumps = np.exp(np.cumsum(np.random.default_rng(3).normal(0, 0.001, 2_000)))
    jumping = (opening * jumps, high * jumps, low * jumps, close * jumps)
    assert ranges.garman_klass(*jumping) == pytest.approx(ranges.garman_klass(opening, high, low, close), rel=1e-9)
    assert ranges.yang_zhang(*jumping) == pytest.approx(0.001 * math.sqrt(2), rel=0.06)


def test_bars_without_a_move_have_no_volatility_and_too_few_have_no_value() -> None:
    flat = np.full(5, 100.0)
    assert ranges.parkinson(flat, flat) == ranges.garman_klass(flat, flat, flat, flat) == 0.0
    assert ranges.yang_zhang(flat, flat, flat, flat) == 0.0
    nothing, two = np.empty(0), np.full(2, 100.0)
    assert math.isnan(ranges.parkinson(nothing, nothing))
    assert math.isnan(ranges.garman_klass(nothing, nothing, nothing, nothing))
    assert math.isnan(ranges.yang_zhang(two, two, two, two))

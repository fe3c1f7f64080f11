"""Bars to test on: real ones, random ones, and flat ones."""

from pathlib import Path

import numpy as np
import polars as pl
from hypothesis import strategies as st

from dataflows.bars import BAR
from dataflows.kernels import RecordArray

MINUTE_NS = 60_000_000_000
FIVE_MINUTES = "binance_um_klines_5m_20230101_20240514.parquet"
ONE_MINUTE = "binance_um_klines_1m_20250504_20250624.parquet"
#: A week with three bars of no volume at all, 2023-09-12 08:35 to 08:45.
HALT_WEEK_MS = 1_694_304_000_000
NAMES = ("open", "high", "low", "close", "volume")


def real_bars(data_folder: Path, symbol: str, file: str = FIVE_MINUTES, number: int = 2016) -> RecordArray:
    rows = pl.scan_parquet(data_folder / "klines" / file).filter(
        pl.col("symbol") == symbol, pl.col("open_time_ms") >= (HALT_WEEK_MS if file == FIVE_MINUTES else 0),
    ).sort("open_time_ms").head(number).collect()
    assert len(rows) == number
    length_ns = MINUTE_NS * (5 if file == FIVE_MINUTES else 1)
    bars = np.zeros(number, BAR)
    bars["index"] = rows["open_time_ms"].to_numpy() * 1_000_000 // length_ns
    for name in NAMES:
        bars[name] = rows[name].to_numpy()
    return bars


def random_bars(seed: int, number: int, tick: float = 0.0, scale: float = 100.0) -> RecordArray:
    random = np.random.default_rng(seed)
    bars = np.zeros(number, BAR)
    bars["index"] = 28_000_000 + np.arange(number)
    bars["close"] = scale * np.exp(np.cumsum(random.normal(0, 0.01, number)))
    bars["open"] = np.concatenate([bars["close"][:1], bars["close"][:-1]])
    above, below = random.exponential(0.003 * scale, (2, number))
    bars["high"] = np.maximum(bars["open"], bars["close"]) + above
    bars["low"] = np.minimum(bars["open"], bars["close"]) - below
    bars["volume"] = random.exponential(10.0, number) * (random.random(number) < 0.9)
    if tick:
        for name in NAMES[:4]:
            bars[name] = np.round(bars[name] / tick) * tick
    return bars


def flat_bars(number: int, price: float, volume: float = 0.0) -> RecordArray:
    bars = np.zeros(number, BAR)
    bars["index"] = 28_000_000 + np.arange(number)
    for name in NAMES[:4]:
        bars[name] = price
    bars["volume"] = volume
    return bars


@st.composite
def coarse_bars(draw: st.DrawFn, longest: int = 160) -> RecordArray:
    """Draw bars on a grid of few prices, so that flat stretches, ties and bars without a trade are common."""
    number, seed = draw(st.integers(1, longest)), draw(st.integers(0, 2**32))
    random, moving = np.random.default_rng(seed), draw(st.sampled_from([0.02, 0.3, 1.0]))
    moves = random.integers(-3, 4, number) * (random.random(number) < moving)
    above, below = random.integers(0, 3, (2, number)) * (random.random((2, number)) < moving)
    bars = np.zeros(number, BAR)
    bars["index"] = draw(st.integers(28_000_000, 28_002_000)) + np.arange(number)
    close = 1000 + np.cumsum(moves)
    bars["open"] = np.concatenate([close[:1], close[:-1]])
    bars["close"] = close
    bars["high"] = np.maximum(bars["open"], close) + above
    bars["low"] = np.minimum(bars["open"], close) - below
    bars["volume"] = random.integers(0, 4, number) * (random.random(number) < moving)
    for name in NAMES[:4]:
        bars[name] *= 0.1
    return bars

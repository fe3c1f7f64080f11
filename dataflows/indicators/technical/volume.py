"""Indicators of price and volume: average price weighted by volume, on-balance volume.

Average price: Berkowitz, Logue and Noser, "The Total Cost of Transactions on the NYSE", 1988. A bar's price is the
typical one, a third of high, low and close together, for bars know no single trades. That of the session begins anew
with the first bar of each UTC day, or with the first bar seen where that is later. Where nothing was traded it is the
last close.

On-balance volume: Joseph Granville, "New Key to Stock Market Profits", 1963: the volume of each bar counts up where
the close rose, down where it fell, and not at all where it stayed. The sum itself depends on where it began, so a model
gets its change over a period, and that change relative to the whole volume: -1 to 1, 0 without volume.
"""

import math

import numpy as np

from dataflows.indicators.technical import window
from dataflows.kernels import Floats, Record, part

SESSION = np.dtype(
    [
        ("bars", np.int64),
        ("day", np.int64),
        ("close", np.float64),
        ("volume", np.float64),
        ("traded", np.float64),  # typical price times volume
    ],
    align=True,
)
ON_BALANCE = np.dtype([("bars", np.int64), ("close", np.float64), ("total", np.float64)], align=True)


@part
def typical(high: float, low: float, close: float) -> float:
    """Return a bar's typical price."""
    return (high + low + close) / 3.0


@part
def restart(state: Record) -> None:
    """Forget every bar of the session."""
    state.bars = 0


@part
def add(state: Record, day: int, high: float, low: float, close: float, volume: float) -> None:
    """Take in a bar; `day` tells sessions apart: the number of the UTC day in which the bar begins."""
    if state.bars == 0 or day != state.day:
        state.bars = 0
        state.day = day
        state.volume = 0.0
        state.traded = 0.0
    state.bars += 1
    state.close = close
    state.volume += volume
    state.traded += typical(high, low, close) * volume


@part
def session_price(state: Record) -> float:
    """Return the average price of the session weighted by volume, NaN before its first bar."""
    if state.bars == 0:
        return math.nan
    return float(state.traded / state.volume if state.volume > 0.0 else state.close)


@part
def rolling_price(highs: Floats, lows: Floats, closes: Floats, volumes: Floats, bars: int, period: int) -> float:
    """Return the average price of the last bars weighted by volume, NaN before `period` bars."""
    if bars < period:
        return math.nan
    slot, volume, traded = (bars - period) % closes.size, 0.0, 0.0
    for _ in range(period):
        volume += volumes[slot]
        traded += typical(highs[slot], lows[slot], closes[slot]) * volumes[slot]
        slot = slot + 1 if slot + 1 < closes.size else 0
    return traded / volume if volume > 0.0 else window.at(closes, bars, 0)


@part
def _signed(before: float, close: float, volume: float) -> float:
    if close > before:
        return volume
    return -volume if close < before else 0.0


@part
def balance(closes: Floats, volumes: Floats, bars: int, period: int) -> tuple[float, float]:
    """Return the change of on-balance volume and the volume of the last bars, NaN before `period + 1` bars."""
    if bars <= period:
        return math.nan, math.nan
    change, volume = 0.0, 0.0
    for back in range(period - 1, -1, -1):
        moved = window.at(volumes, bars, back)
        change += _signed(window.at(closes, bars, back + 1), window.at(closes, bars, back), moved)
        volume += moved
    return change, volume


@part
def balance_ratio(change: float, volume: float) -> float:
    """Return the change relative to the volume, -1 to 1; 0 where there was no volume, NaN where it is not known."""
    return change if volume == 0.0 else change / volume


@part
def add_on_balance(state: Record, close: float, volume: float) -> None:
    """Take a bar into the running sum, which begins with the volume of the first bar, as TA-Lib's does."""
    state.total = state.total + _signed(state.close, close, volume) if state.bars > 0 else volume
    state.close = close
    state.bars += 1

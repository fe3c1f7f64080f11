"""The statistical kernels over whole arrays, for research: the same code as in the stream, so the same bits."""

from collections.abc import Callable
from typing import Concatenate, ParamSpec

import numpy as np

from dataflows.bars import BAR
from dataflows.indicators.statistical.features import FEATURES
from dataflows.indicators.statistical.state import STATISTICAL, add_bar, fill, on_second
from dataflows.kernels import Floats, RecordArray, kernel
from sluice.errors import InputError

P = ParamSpec("P")


def rolling(
    statistic: Callable[Concatenate[Floats, P], float], values: Floats, window: int, *args: P.args, **kwargs: P.kwargs,
) -> Floats:
    """Return a statistic of this package over each window of an array, one value for each element.

    Element i is made of `values[i - window + 1 : i + 1]`; the first `window - 1` are NaN. Raises `InputError` where
    `window` is below 1.
    """
    if window < 1:
        raise InputError(f"window must be positive, was {window}")
    out = np.full(values.size, np.nan)
    for end in range(window, values.size + 1):
        out[end - 1] = statistic(values[end - window : end], *args, **kwargs)
    return out


def second_features(mids: Floats, every: int = 1) -> Floats:
    """Return all features of one-second mid prices, a row for every `every`-th second, `FEATURES` columns.

    NaN mid prices are unknown; the columns made of bars stay NaN (`bar_features` has them). Raises `InputError` where
    `every` is below 1.
    """
    if every < 1:
        raise InputError(f"every must be positive, was {every}")
    rows = np.full((mids.size // every, len(FEATURES)), np.nan)
    _over_seconds(np.zeros(1, STATISTICAL), mids, every, rows)
    return rows


def bar_features(bars: RecordArray) -> Floats:
    """Return all features of closed one-minute bars (dtype `BAR`), a row each; the columns made of seconds stay NaN.

    Raises `InputError` where the bars are of another dtype.
    """
    if bars.dtype != BAR:
        raise InputError(f"bars must be of dtype BAR, was {bars.dtype}")
    rows = np.full((bars.size, len(FEATURES)), np.nan)
    _over_bars(np.zeros(1, STATISTICAL), bars, rows)
    return rows


@kernel
def _over_seconds(states: RecordArray, mids: Floats, every: int, rows: Floats) -> None:
    for second in range(mids.size):
        on_second(states[0], second, mids[second])
        if (second + 1) % every == 0:
            fill(states[0], rows[second // every])


@kernel
def _over_bars(states: RecordArray, bars: RecordArray, rows: Floats) -> None:
    for row in range(bars.size):
        add_bar(states[0], bars[row])
        fill(states[0], rows[row])

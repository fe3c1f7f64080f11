"""What the batch functions take, and what they say to what they do not take."""

import math
from collections.abc import Callable
from typing import cast

import numpy as np
import polars as pl
import pytest

from dataflows.bars import BAR
from dataflows.indicators.technical import batch, features
from dataflows.kernels import Floats
from sluice.errors import InputError
from tests.dataflows.indicators.technical.histories import random_bars

CLOSE = random_bars(1, 40)["close"].copy()


def test_lists_series_and_columns_of_a_larger_array_are_taken() -> None:
    expected = batch.ema(CLOSE, 5).tobytes()
    for given in (CLOSE.tolist(), pl.Series(CLOSE), np.stack([CLOSE, CLOSE], axis=1)[:, 1]):
        assert batch.ema(given, 5).tobytes() == expected


def test_what_is_given_is_not_changed() -> None:
    before = CLOSE.copy()
    batch.macd(CLOSE)
    np.testing.assert_array_equal(CLOSE, before)


@pytest.mark.parametrize("number", [0, 1, 4])
def test_too_few_bars_give_no_value(number: int) -> None:
    close = CLOSE[:number]
    assert batch.sma(close, 5).shape == (number,)
    for column in (batch.sma(close, 5), *batch.macd(close), *batch.ichimoku(close, close, close), batch.rsi(close)):
        assert np.isnan(column).all()
    assert batch.technical_features(np.zeros(0, BAR), "_1m").shape == (0, len(features("_1m")))


@pytest.mark.parametrize(("call", "text"), [
    (lambda: batch.sma(CLOSE, 0), "period must be a whole number of 1 to 1000000, was 0"),
    (lambda: batch.rsi(CLOSE, cast("int", 2.5)), "period must be a whole number of 1 to 1000000, was 2.5"),
    (lambda: batch.ema(CLOSE, 10**30), "period must be a whole number of 1 to 1000000, was 1" + "0" * 30),
    (lambda: batch.macd(CLOSE, 26, 12), "fast must be less than slow (12), was 26"),
    (lambda: batch.stochastic(CLOSE, CLOSE, CLOSE, 14, 0), "smoothing must be a whole number of 1 to 1000000, was 0"),
    (lambda: batch.bollinger(CLOSE, 20, math.nan), "width must be a number above 0, was nan"),
    (lambda: batch.supertrend(CLOSE, CLOSE, CLOSE, 10, -1.0), "multiplier must be a number above 0, was -1.0"),
    (lambda: batch.sma([1.0, math.nan, 3.0], 2), "close must be finite, was nan at position 1"),
    (lambda: batch.sma([[1.0], [2.0]], 2), "close must be one value a bar, was of shape (2, 1)"),
    (lambda: batch.atr(CLOSE, CLOSE[1:], CLOSE), "columns must be of one length, were 40 high, 39 low, 40 close"),
    (lambda: batch.session_vwap([0], CLOSE, CLOSE, CLOSE, CLOSE),
     "open_time_ns must have 40 values as close has, was of shape (1,)"),
    (lambda: batch.technical_features(np.zeros(3, BAR), "_1x"),
     "a bar's length must be a number with s, m, h or d, was '1x'"),
])
def test_what_cannot_be_computed_is_told(call: Callable[[], Floats], text: str) -> None:
    with pytest.raises(InputError) as error:
        call()
    assert error.value.message == text


@pytest.mark.parametrize(("call", "text"), [
    (lambda: batch.sma(["a", "b"], 1), "close must be numbers, was list: "),
    (lambda: batch.technical_features(np.zeros(3, [("close", float)]), "_1m"), "bars must be an array of ('index', "),
])
def test_what_is_of_another_kind_is_told(call: Callable[[], Floats], text: str) -> None:
    with pytest.raises(InputError) as error:
        call()
    assert error.value.message.startswith(text)

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from dataflows.indicators.statistical import moments
from dataflows.kernels import Floats
from tests.dataflows.indicators.statistical import judges
from tests.dataflows.indicators.statistical.windows import returns


@settings(max_examples=60)
@given(returns(), st.integers(1, 5), st.integers(1, 12))
def test_moments_are_those_of_numpy_and_scipy(window: Floats, lag: int, span: int) -> None:
    np.testing.assert_allclose(moments.realised_volatility(window), np.sqrt((window**2).sum()), rtol=1e-12)
    if span < window.size:
        expected = judges.volatility_of_volatility(window, span)
        rounding = 1e-13 * np.abs(window).max()
        np.testing.assert_allclose(moments.volatility_of_volatility(window, span), expected, rtol=1e-9, atol=rounding)
    if window.max() == window.min():
        return
    np.testing.assert_allclose(moments.skewness(window), stats.skew(window), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(moments.excess_kurtosis(window), stats.kurtosis(window), rtol=1e-9, atol=1e-12)
    expected = judges.autocorrelation(window, lag)
    np.testing.assert_allclose(moments.autocorrelation(window, lag), expected, rtol=1e-9, atol=1e-12)


def test_a_large_return_leaves_no_rounding_behind_in_the_volatility_of_volatility() -> None:
    window = np.full(40, 1e-9)
    window[5] = 1.0
    quiet = judges.volatility_of_volatility(window, 4)
    assert moments.volatility_of_volatility(window, 4) == pytest.approx(quiet, rel=1e-12)
    window[12:] = 0.0
    assert moments.volatility_of_volatility(window[12:], 4) == 0.0


@settings(max_examples=30)
@given(returns(), st.sampled_from([2.0**-20, 2.0**10]))
def test_shape_does_not_depend_on_the_scale(window: Floats, scale: float) -> None:
    for statistic in (moments.skewness, moments.excess_kurtosis):
        np.testing.assert_array_equal(statistic(scale * window), statistic(window))
    np.testing.assert_array_equal(moments.autocorrelation(scale * window, 1), moments.autocorrelation(window, 1))
    assert moments.realised_volatility(scale * window) == scale * moments.realised_volatility(window)


def test_two_values_that_take_turns_have_the_least_kurtosis_and_the_least_autocorrelation() -> None:
    window = np.tile([0.1, -0.1], 50)
    assert moments.excess_kurtosis(window) == -2.0
    assert moments.skewness(window) == 0.0
    assert moments.autocorrelation(window, 1) == pytest.approx(-0.99, rel=1e-12)


@pytest.mark.parametrize("window", [np.full(20, 0.1), np.zeros(20), np.array([0.1]), np.empty(0),
                                    np.array([1.0, 2.0, np.nan, 4.0, 3.0])], ids=str)
def test_what_has_no_spread_or_is_not_known_has_no_shape(window: Floats) -> None:
    assert math.isnan(moments.skewness(window))
    assert math.isnan(moments.excess_kurtosis(window))
    assert math.isnan(moments.autocorrelation(window, 1))


def test_an_unknown_return_makes_the_volatilities_unknown() -> None:
    window = np.array([1.0, 2.0, np.nan, 4.0, 3.0])
    assert math.isnan(moments.realised_volatility(window))
    assert math.isnan(moments.volatility_of_volatility(window, 2))


@pytest.mark.parametrize(("size", "span"), [(5, 5), (5, 6), (5, 0), (5, -1), (0, 1)])
def test_a_volatility_of_volatility_needs_two_spans(size: int, span: int) -> None:
    assert math.isnan(moments.volatility_of_volatility(np.ones(size), span))


@pytest.mark.parametrize("lag", [-1, 0, 5, 6])
def test_a_lag_outside_the_window_has_no_autocorrelation(lag: int) -> None:
    assert math.isnan(moments.autocorrelation(np.array([1.0, 3.0, 2.0, 5.0, 4.0]), lag))

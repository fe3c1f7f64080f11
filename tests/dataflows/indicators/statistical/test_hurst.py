import math

import numpy as np
import pytest
from hypothesis import given, settings

from dataflows.indicators.statistical import hurst
from dataflows.kernels import Floats
from sluice.errors import InputError
from tests.dataflows.indicators.statistical import judges
from tests.dataflows.indicators.statistical.windows import returns

SIZES = [10, 15, 20, 30, 50, 75]
BOXES = hurst.boxes(*SIZES)


def fractional_noise(exponent: float, size: int, number: int) -> Floats:
    """Return rows of fractional Gaussian noise (Mandelbrot and van Ness, 1968) from a root of its covariance."""
    lags = np.arange(size)
    powers = [np.abs(lags + step) ** (2 * exponent) for step in (1, 0, -1)]
    covariance = 0.5 * (powers[0] - 2 * powers[1] + powers[2])
    matrix = covariance[np.abs(lags[:, None] - lags[None, :])]
    noise: Floats = np.random.default_rng(1).normal(size=(number, size)) @ np.linalg.cholesky(matrix).T
    return noise


@settings(max_examples=40)
@given(returns(shortest=80))
def test_both_exponents_are_those_of_the_papers_written_down_again(window: Floats) -> None:
    expected = judges.hurst_rescaled_range(window, SIZES)
    np.testing.assert_allclose(hurst.hurst_rescaled_range(window, BOXES), expected, rtol=1e-9, atol=1e-10)
    if window.max() > window.min():
        expected = judges.hurst_detrended(window, SIZES)
        np.testing.assert_allclose(hurst.hurst_detrended(window, BOXES), expected, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize(("exponent", "rescaled"), [(0.3, 0.33), (0.5, 0.48), (0.7, 0.63), (0.85, 0.72)])
def test_the_exponents_of_fractional_noise_are_found(exponent: float, rescaled: float) -> None:
    """A mean of forty, because one window scatters. That R/S leans towards a half is said in its docstring."""
    boxes, detrended = hurst.boxes(15, 50, 150), hurst.boxes(10, 20, 50, 100)
    noise = fractional_noise(exponent, 900, 40)
    assert np.mean([hurst.hurst_detrended(each, detrended) for each in noise]) == pytest.approx(exponent, abs=0.04)
    assert np.mean([hurst.hurst_rescaled_range(each, boxes) for each in noise]) == pytest.approx(rescaled, abs=0.04)


def test_the_expected_rescaled_range_is_that_of_independent_values() -> None:
    """Simulated, and within 2 % of the asymptote `sqrt(pi n / 2)` less Feller's constant for long boxes."""
    assert [hurst.expected_rescaled_range(size) for size in (10, 50, 300)] == pytest.approx(
        [judges.expected_rescaled_range(size) for size in (10, 50, 300)], rel=1e-12)
    random = np.random.default_rng(1).normal(size=(20_000, 10))
    profiles = np.cumsum(random - random.mean(axis=1, keepdims=True), axis=1)
    spans = np.maximum(profiles.max(axis=1), 0) - np.minimum(profiles.min(axis=1), 0)
    simulated = (spans / random.std(axis=1)).mean()
    assert hurst.expected_rescaled_range(10) == pytest.approx(simulated * 9.5 / 10, rel=0.005)
    assert hurst.expected_rescaled_range(300) == pytest.approx(math.sqrt(math.pi * 300 / 2) - 1.2, rel=0.02)


def test_exponents_do_not_depend_on_scale_or_drift() -> None:
    window = np.random.default_rng(2).normal(size=300)
    for exponent in (hurst.hurst_rescaled_range, hurst.hurst_detrended):
        assert exponent(8.0 * window, BOXES) == pytest.approx(exponent(window, BOXES), rel=1e-12)
        assert exponent(window + 3.0, BOXES) == pytest.approx(exponent(window, BOXES), rel=1e-9)


def test_boxes_in_which_nothing_moves_are_left_out() -> None:
    window = np.random.default_rng(3).normal(size=300)
    window[:150] = 0.0
    sizes = [10, 15, 25, 50, 75]
    boxes = hurst.boxes(*sizes)
    assert hurst.hurst_rescaled_range(window, boxes) == pytest.approx(
        judges.hurst_rescaled_range(window[150:], sizes), rel=1e-12)


@pytest.mark.parametrize("window", [np.zeros(300), np.full(300, 0.1), np.ones(74), np.empty(0)], ids=len)
def test_what_does_not_move_or_is_too_short_has_no_exponent(window: Floats) -> None:
    assert math.isnan(hurst.hurst_rescaled_range(window, BOXES))
    assert math.isnan(hurst.hurst_detrended(window, BOXES))


def test_a_window_shorter_than_the_largest_box_or_with_a_gap_has_no_exponent() -> None:
    window = np.random.default_rng(4).normal(size=300)
    broken = np.where(np.arange(300) == 7, np.nan, window)
    for exponent in (hurst.hurst_rescaled_range, hurst.hurst_detrended):
        assert math.isnan(exponent(window[:74], BOXES))
        assert math.isfinite(exponent(window[:75], BOXES))
        assert math.isnan(exponent(broken, BOXES))


@pytest.mark.parametrize("sizes", [(10,), (), (3, 10)])
def test_boxes_that_make_no_line_are_refused(sizes: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="sizes must be two or more, none below 4, was"):
        hurst.boxes(*sizes)

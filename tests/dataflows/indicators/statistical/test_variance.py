import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflows.indicators.statistical import variance
from dataflows.kernels import Floats
from tests.dataflows.indicators.statistical import judges
from tests.dataflows.indicators.statistical.windows import returns


@settings(max_examples=60)
@given(returns(shortest=30), st.sampled_from([2, 5, 10]))
def test_ratios_and_tests_are_those_of_the_papers_written_down_again(window: Floats, horizon: int) -> None:
    if window.max() == window.min():
        return
    with np.errstate(divide="ignore", invalid="ignore"):
        expected = judges.variance_ratio(window, horizon)
    np.testing.assert_allclose(variance.variance_ratio(window, horizon), expected, rtol=1e-9, atol=1e-10)
    if np.any(window[1:] * window[:-1]):
        np.testing.assert_allclose(variance.jump_test(window), judges.jump_test(window), rtol=1e-9, atol=1e-10)


def test_of_independent_returns_the_ratio_is_one_and_its_z_standard_normal() -> None:
    """Their variance changes from return to return, which z* allows for."""
    random = np.random.default_rng(1)
    results = np.array([
        variance.variance_ratio(random.normal(size=600) * (1 + random.integers(0, 2, 600)), 5) for _ in range(400)])
    assert results[:, 0].mean() == pytest.approx(1.0, abs=0.02)
    assert results[:, 1].mean() == pytest.approx(0.0, abs=0.15)
    assert results[:, 1].std() == pytest.approx(1.0, abs=0.12)


def test_of_returns_that_remember_the_last_one_the_ratio_is_known() -> None:
    """Of two steps it is 1 plus the first autocorrelation, here that of a moving average: 0.5 / 1.25 = 0.4."""
    noise = np.random.default_rng(2).normal(size=50_001)
    ratio, z = variance.variance_ratio(noise[1:] + 0.5 * noise[:-1], 2)
    assert ratio == pytest.approx(1.4, abs=0.02)
    assert z > 50
    assert variance.variance_ratio(noise[1:] - 0.5 * noise[:-1], 2)[0] == pytest.approx(0.6, abs=0.02)


def test_without_jumps_the_jump_test_is_standard_normal_and_a_jump_is_seen_with_its_share() -> None:
    random = np.random.default_rng(3)
    windows = random.normal(size=(400, 900)) * 1e-5
    tests = np.array([variance.jump_test(window) for window in windows])
    assert tests[:, 0].mean() == pytest.approx(0.0, abs=0.01)
    assert tests[:, 1].mean() == pytest.approx(0.0, abs=0.15)
    assert tests[:, 1].std() == pytest.approx(1.0, abs=0.12)
    windows[:, 450] += 30e-5
    jumped = np.array([variance.jump_test(window) for window in windows])
    assert jumped[:, 0].mean() == pytest.approx(0.5, abs=0.05)
    assert jumped[:, 1].min() > 5.0


@settings(max_examples=30)
@given(returns(), st.sampled_from([2.0**-20, 2.0**10]))
def test_neither_depends_on_the_scale_and_both_stay_in_their_range(window: Floats, scale: float) -> None:
    ratio, _ = variance.variance_ratio(window, 5)
    share, _ = variance.jump_test(window)
    assert not ratio < 0.0
    assert not share > 1.0
    np.testing.assert_array_equal(variance.variance_ratio(scale * window, 5), variance.variance_ratio(window, 5))
    np.testing.assert_array_equal(variance.jump_test(scale * window), variance.jump_test(window))


@pytest.mark.parametrize("window", [np.zeros(20), np.empty(0), np.array([1.0, 2.0, np.nan, 4.0, 3.0, 2.0])], ids=len)
def test_what_does_not_move_or_is_not_known_has_neither(window: Floats) -> None:
    assert all(map(math.isnan, variance.variance_ratio(window, 2)))
    assert all(map(math.isnan, variance.jump_test(window)))


@pytest.mark.parametrize("horizon", [1, 0, 6, 7])
def test_a_horizon_outside_the_window_has_no_ratio(horizon: int) -> None:
    assert all(map(math.isnan, variance.variance_ratio(np.array([1.0, 3.0, 2.0, 5.0, 4.0, 1.0]), horizon)))


def test_a_move_without_a_neighbour_is_all_jump_of_unknown_significance() -> None:
    share, z = variance.jump_test(np.array([0.0, 1.0, 0.0, 0.0, 2.0, 0.0]))
    assert share == 1.0
    assert math.isnan(z)

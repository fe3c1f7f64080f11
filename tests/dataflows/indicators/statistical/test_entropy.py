import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from dataflows.indicators.statistical import entropy
from dataflows.kernels import Floats
from tests.dataflows.indicators.statistical import judges
from tests.dataflows.indicators.statistical.windows import returns


@settings(max_examples=60)
@given(returns(longest=150), st.integers(2, 4))
def test_entropies_are_those_of_the_papers_written_down_again(window: Floats, order: int) -> None:
    expected = judges.permutation_entropy(window, order)
    np.testing.assert_allclose(entropy.permutation_entropy(window, order), expected, rtol=1e-9, atol=1e-12)
    if window.max() > window.min():
        expected = judges.shannon_entropy(window)
        np.testing.assert_allclose(entropy.shannon_entropy(window), expected, rtol=1e-9, atol=1e-12)
        expected = judges.sample_entropy(window)
        np.testing.assert_allclose(entropy.sample_entropy(window), expected, rtol=1e-9, atol=1e-12)


def test_the_permutation_entropies_of_bandt_and_pompes_example_are_theirs() -> None:
    """Their series 4, 7, 9, 10, 6, 11, 3 has 0.918 bits at order 2 and 1.522 at order 3."""
    series = np.array([4.0, 7.0, 9.0, 10.0, 6.0, 11.0, 3.0])
    assert entropy.permutation_entropy(series, 2) == pytest.approx(0.918, abs=5e-4)
    assert entropy.permutation_entropy(series, 3) * math.log2(6) == pytest.approx(1.522, abs=5e-4)


@pytest.mark.parametrize("order", [2, 3, 4, 5])
def test_independent_values_have_every_order_equally_often(order: int) -> None:
    values = np.random.default_rng(order).normal(size=20_000)
    assert entropy.permutation_entropy(values, order) == pytest.approx(1.0, abs=0.002)


def test_a_series_that_only_rises_or_rests_has_one_pattern() -> None:
    assert entropy.permutation_entropy(np.arange(50.0), 3) == 0.0
    assert entropy.permutation_entropy(np.zeros(50), 3) == 0.0


def test_normal_values_fill_the_bins_equally_and_others_do_not() -> None:
    random = np.random.default_rng(5)
    assert entropy.shannon_entropy(random.normal(size=20_000)) == pytest.approx(1.0, abs=0.001)
    assert entropy.shannon_entropy(random.standard_t(2, size=20_000)) < 0.9


def test_the_edges_are_quantiles_of_the_normal_distribution_and_none_is_at_its_middle() -> None:
    np.testing.assert_allclose(entropy.EDGES, stats.norm.ppf(np.arange(1, 7) / 7), rtol=1e-12)
    still = np.array([0.0] * 50 + [1.0, -1.0])
    for mean in (1e-18, -1e-18):
        assert entropy.shannon_entropy(still + mean) == entropy.shannon_entropy(still)


def test_the_sample_entropy_of_normal_values_is_that_of_two_of_them_being_near() -> None:
    """`-log P(|X - Y| <= r)` for independent values: Richman and Moorman, 2000."""
    values = np.random.default_rng(6).normal(size=3_000)
    expected = -math.log(2 * stats.norm.cdf(0.2 / math.sqrt(2)) - 1)
    assert entropy.sample_entropy(values) == pytest.approx(expected, rel=0.03)


def test_a_series_that_repeats_itself_has_little_sample_entropy() -> None:
    assert entropy.sample_entropy(np.tile([1.0, 2.0, 3.0, 4.0], 50)) == pytest.approx(0.0, abs=0.02)


@settings(max_examples=30)
@given(returns(longest=100), st.sampled_from([2.0**-20, 2.0**10]))
def test_entropies_do_not_depend_on_the_scale_and_stay_in_their_range(window: Floats, scale: float) -> None:
    for statistic in (entropy.shannon_entropy, entropy.sample_entropy):
        np.testing.assert_array_equal(statistic(scale * window), statistic(window))
        assert not statistic(window) < 0.0
    assert entropy.permutation_entropy(scale * window, 3) == entropy.permutation_entropy(window, 3)
    assert 0.0 <= entropy.permutation_entropy(window, 3) <= 1.0
    assert not entropy.shannon_entropy(window) > 1.0


@pytest.mark.parametrize("window", [np.full(20, 0.1), np.empty(0), np.array([1.0]),
                                    np.array([1.0, 2.0, np.nan, 4.0, 3.0, 2.0])], ids=len)
def test_what_has_no_spread_or_is_not_known_has_no_entropy(window: Floats) -> None:
    assert math.isnan(entropy.shannon_entropy(window))
    assert math.isnan(entropy.sample_entropy(window))


@pytest.mark.parametrize(("window", "order"), [(np.arange(9.0), 1), (np.arange(9.0), 8), (np.arange(2.0), 3),
                                               (np.array([1.0, np.nan, 2.0, 3.0]), 2), (np.empty(0), 2)])
def test_patterns_that_cannot_be_counted_have_no_entropy(window: Floats, order: int) -> None:
    assert math.isnan(entropy.permutation_entropy(window, order))

"""Draws are fixed for ever: known values, sane moments."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest.synthetic.draws import below, exponential, generator, lognormal, normal, uniform


def test_uniform_gives_the_published_sequence_of_splitmix64() -> None:
    state = np.array([1234567], np.uint64)
    published = (6457827717110365317, 3203168211198807973, 9817491932198370423)
    assert [uniform(state) for _ in published] == [(value >> 11) / 2**53 for value in published]


def test_generators_of_other_names_or_seeds_are_others_and_the_same_one_is_the_same() -> None:
    states = [int(generator(seed, name)[0]) for seed in (1, 2) for name in ("a", "b")]
    assert len(set(states)) == 4
    assert int(generator(1, "a")[0]) == states[0]


def test_moments_are_those_of_the_distributions() -> None:
    state = generator(3)
    normals = np.array([normal(state) for _ in range(20_000)])
    assert abs(normals.mean()) < 0.03
    assert abs(normals.std() - 1.0) < 0.03
    assert np.median([lognormal(state, 5.0, 0.5) for _ in range(20_000)]) == pytest.approx(5.0, rel=0.03)
    assert {below(state, 3) for _ in range(100)} == {0, 1, 2}


@given(st.floats(-6, 6))
def test_the_exponential_is_right_within_half_a_percent(value: float) -> None:
    assert exponential(value) == pytest.approx(math.exp(value), rel=5e-3)

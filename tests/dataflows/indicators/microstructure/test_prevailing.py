"""The best prices of before a time are the last ones that are older, whatever the order in which they came."""

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflows.indicators.microstructure import prevailing
from dataflows.indicators.microstructure.prevailing import CAPACITY, PREVAILING
from dataflows.kernels import Floats, Integers, RecordArray, kernel


@kernel
def found_after(states: RecordArray, times_ns: Integers, tops: Floats, time_ns: int) -> float:
    for index in range(times_ns.size):
        prevailing.remember(states[0].prevailing, times_ns[index], tops[index])
    prevailing.find(states[0].prevailing, time_ns)
    return float(states[0].prevailing.found[0])


def found(times_ns: list[int], time_ns: int) -> float:
    """Return the number of the change that is found, NaN for none."""
    state = np.zeros(1, np.dtype([("prevailing", PREVAILING)], align=True))
    tops = np.arange(float(len(times_ns)))[:, None] + np.zeros(4)
    return found_after(state, np.array(times_ns, np.int64), tops, time_ns)


@settings(max_examples=100)
@given(st.lists(st.integers(0, 90), min_size=1, max_size=2 * CAPACITY), st.integers(1, 100))
def test_it_is_the_newest_that_is_older_or_else_the_oldest_that_is_kept(times_ns: list[int], time_ns: int) -> None:
    first = max(0, len(times_ns) - CAPACITY)
    older = [at for at in range(first, len(times_ns)) if times_ns[at] < time_ns]
    assert found(times_ns, time_ns) == (older[-1] if older else first)


def test_an_unknown_time_has_the_newest_and_nothing_was_before_the_first() -> None:
    assert found([5, 6, 7], 0) == 2.0
    assert math.isnan(found([], 5))

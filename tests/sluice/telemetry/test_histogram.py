"""The latency histogram: resolution, merging and exact copies."""

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sluice.errors import InputError
from sluice.telemetry.histogram import LONGEST_NS, SHORTEST_NS, LatencyHistogram

in_range = st.integers(SHORTEST_NS, LONGEST_NS)
any_time = st.integers(0, 10 * LONGEST_NS)


def histogram(times_ns: list[int]) -> LatencyHistogram:
    """A histogram of these times."""
    made = LatencyHistogram()
    for each in times_ns:
        made.record(each)
    return made


@given(st.lists(in_range, min_size=1, max_size=200), st.floats(0, 1))
@example([1428, 1443], 0.5)
def test_percentile_is_within_one_percent_of_the_exact_one(times_ns: list[int], q: float) -> None:
    exact_ms = sorted(times_ns)[max(math.ceil(q * len(times_ns)), 1) - 1] / 1e6
    assert histogram(times_ns).percentile(q) == pytest.approx(exact_ms, rel=0.01)


@given(st.lists(any_time, min_size=1, max_size=50))
def test_percentiles_grow_from_the_shortest_to_the_longest_time(times_ns: list[int]) -> None:
    found = [histogram(times_ns).percentile(step / 20) for step in range(21)]
    assert found == sorted(found)
    assert (found[0], found[-1]) == (min(times_ns) / 1e6, max(times_ns) / 1e6)


@given(st.lists(any_time, max_size=50), st.lists(any_time, max_size=50))
def test_merging_equals_recording_together(some: list[int], others: list[int]) -> None:
    merged = histogram(some)
    merged.merge(histogram(others))
    assert merged == histogram(some + others)
    assert merged.count == len(some) + len(others)


@given(st.lists(any_time, max_size=50))
def test_copy_is_exact_and_goes_on_in_the_same_way(times_ns: list[int]) -> None:
    original = histogram(times_ns)
    copy = LatencyHistogram.from_bytes(original.to_bytes())
    assert copy.to_bytes() == original.to_bytes()
    for each in (original, copy):
        each.record(12_345)
    assert copy == original
    assert copy.percentile(0.5) == original.percentile(0.5)


@given(st.lists(any_time, max_size=20), st.data())
def test_damaged_copy_is_refused(times_ns: list[int], data: st.DataObject) -> None:
    whole = histogram(times_ns).to_bytes()
    place = data.draw(st.integers(0, len(whole) - 1))
    damaged = bytearray(whole)
    damaged[place] ^= data.draw(st.integers(1, 255))
    for each in (bytes(damaged), whole[:place]):
        with pytest.raises(InputError, match="a histogram must be"):
            LatencyHistogram.from_bytes(each)


def test_empty_histogram_has_no_percentile() -> None:
    assert math.isnan(LatencyHistogram().percentile(0.5))


def test_negative_time_is_refused() -> None:
    with pytest.raises(InputError, match="must not be negative, was -1 ns"):
        LatencyHistogram().record(-1)


@pytest.mark.parametrize("q", [-0.1, 1.1, 50.0, math.nan])
def test_q_that_is_no_fraction_is_refused(q: float) -> None:
    with pytest.raises(InputError, match="must be a fraction"):
        histogram([1]).percentile(q)

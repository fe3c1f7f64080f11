"""The tick grid: where decisions fall in event time."""

from hypothesis import given
from hypothesis import strategies as st

from dataflows.ticks import LONGEST_SILENCE_NS, TickGrid

SECOND = 1_000_000_000


def test_no_tick_comes_before_the_first_frame() -> None:
    assert TickGrid(SECOND).due(10 * SECOND + 5) == []


def test_a_tick_comes_before_the_first_frame_at_or_after_it() -> None:
    grid = TickGrid(SECOND)
    grid.due(10 * SECOND + 5)
    assert grid.due(11 * SECOND - 1) == []
    assert grid.due(11 * SECOND) == [11 * SECOND]
    assert grid.due(11 * SECOND) == []


def test_every_tick_of_a_short_silence_is_due() -> None:
    grid = TickGrid(SECOND)
    grid.due(10 * SECOND)
    assert grid.due(13 * SECOND + 1) == [11 * SECOND, 12 * SECOND, 13 * SECOND]


def test_a_long_silence_is_jumped_with_one_tick() -> None:
    grid = TickGrid(SECOND)
    grid.due(10 * SECOND)
    late = 10 * SECOND + LONGEST_SILENCE_NS * 1000
    assert grid.due(late) == [11 * SECOND]
    assert grid.next_ns > late


@given(st.lists(st.integers(0, 20 * SECOND), min_size=1, max_size=40), st.integers(1, 39), st.integers(1, 3))
def test_a_grid_resumed_anywhere_gives_the_same_ticks(gaps: list[int], cut: int, interval_s: int) -> None:
    times = [SECOND + sum(gaps[: index + 1]) for index in range(len(gaps))]
    whole, first = TickGrid(interval_s * SECOND), TickGrid(interval_s * SECOND)
    expected = [tick for time_ns in times for tick in whole.due(time_ns)]
    seen = [tick for time_ns in times[:cut] for tick in first.due(time_ns)]
    resumed = TickGrid(interval_s * SECOND, first.next_ns)
    assert seen + [tick for time_ns in times[cut:] for tick in resumed.due(time_ns)] == expected
    assert expected == sorted(set(expected))

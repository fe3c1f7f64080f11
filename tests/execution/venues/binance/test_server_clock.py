"""The exchange's clock: the median of a few measurements, and whole milliseconds rounded down."""

from hypothesis import given
from hypothesis import strategies as st

from execution.venues.binance.server_clock import ServerClock
from sluice.clock import NS_PER_MS, EventClock


def test_without_a_measurement_it_is_our_own_clock() -> None:
    clock = ServerClock(EventClock(1_234_567_890))
    assert clock.now_ns() == 1_234_567_890
    assert clock.timestamp_ms(1_999_999) == 1


@given(st.integers(-10**12, 10**12), st.integers(0, 10**9), st.integers(0, 10**9))
def test_an_offset_is_found_within_half_of_the_way_there_and_back(offset: int, there: int, back: int) -> None:
    start = 1_700_000_000 * 10**9
    clock = ServerClock(EventClock(start))
    clock.sample(start, (start + there + offset) // NS_PER_MS, start + there + back)
    assert abs(clock.offset_ns - offset) <= (there + back) // 2 + NS_PER_MS


def test_one_slow_answer_moves_nothing_and_forgetting_starts_anew() -> None:
    clock = ServerClock(EventClock(0))
    for late_ns in (0, 0, 9 * 10**9, 0, 0):
        clock.sample(0, 1_000, late_ns)
    assert clock.offset_ns == 1_000_500_000
    clock.forget()
    assert clock.offset_ns == 0

"""Clocks: the event clock follows events and never goes back."""

import time

from hypothesis import given
from hypothesis import strategies as st

from sluice.clock import EventClock, SystemClock, observe


@given(st.lists(st.integers(0, 2**62)))
def test_the_event_clock_shows_the_latest_event(times: list[int]) -> None:
    clock = EventClock()
    for event_time_ns in times:
        observe(clock, event_time_ns)
    assert clock.now_ns() == max(times, default=0)


def test_the_system_clock_takes_no_notice_of_events() -> None:
    clock = SystemClock()
    observe(clock, 2**62)
    assert abs(clock.now_ns() - time.time_ns()) < 10_000_000_000

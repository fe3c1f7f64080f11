"""Rate limits: windows, refusals and bans, by known answers and by any sequence of requests."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest.exchange.rest.limits import Limits, RateLimiter, TooManyRequests, Window

NOON_MS = 1_750_000_020_000  # a whole minute


def test_weight_counts_to_the_limit_and_no_further() -> None:
    limiter = RateLimiter(Limits(request_weight_1m=10))
    limiter.weigh("a", 6, NOON_MS)
    limiter.weigh("a", 4, NOON_MS + 1)
    with pytest.raises(TooManyRequests) as caught:
        limiter.weigh("a", 1, NOON_MS + 2)
    assert (caught.value.status, caught.value.code) == (429, -1003)
    assert caught.value.retry_after_s == 60
    assert caught.value.message == "Too many requests; current limit is 10 requests per minute."


def test_every_minute_begins_anew_and_addresses_are_apart() -> None:
    limiter = RateLimiter(Limits(request_weight_1m=5))
    limiter.weigh("a", 5, NOON_MS + 59_999)
    limiter.weigh("b", 5, NOON_MS + 59_999)
    limiter.weigh("a", 5, NOON_MS + 60_000)
    assert limiter.used_weight("a", NOON_MS + 60_000) == 5
    assert limiter.used_weight("a", NOON_MS + 120_000) == 0


def test_going_on_after_refusals_is_banned_longer_each_time_up_to_three_days() -> None:
    limiter = RateLimiter(Limits(request_weight_1m=1, refusals_before_ban=1))
    now, waits = NOON_MS, []
    for _ in range(14):
        limiter.weigh("a", 1, now)
        with pytest.raises(TooManyRequests) as refused:
            limiter.weigh("a", 1, now)
        assert refused.value.status == 429
        with pytest.raises(TooManyRequests) as banned:
            limiter.weigh("a", 1, now)
        assert (banned.value.status, banned.value.code) == (418, -1003)
        with pytest.raises(TooManyRequests) as still:
            limiter.weigh("a", 0, now + 1000 * banned.value.retry_after_s - 1)
        assert still.value.status == 418
        waits.append(banned.value.retry_after_s)
        now += 1000 * banned.value.retry_after_s + 60_000
    assert waits[:3] == [120, 240, 480]
    assert waits[-1] == 3 * 24 * 3600


def test_orders_are_counted_in_both_windows_and_a_refused_one_in_none() -> None:
    limiter = RateLimiter(Limits(orders_10s=3, orders_1m=5))
    limiter.count_orders("x", 3, 3, NOON_MS)
    with pytest.raises(TooManyRequests) as caught:
        limiter.count_orders("x", 1, 1, NOON_MS + 1)
    assert (caught.value.status, caught.value.code, caught.value.retry_after_s) == (429, -1015, 10)
    assert "3 orders per 10 seconds" in caught.value.message
    assert limiter.order_counts("x", NOON_MS + 1) == (3, 3)
    limiter.count_orders("x", 2, 2, NOON_MS + 10_000)
    with pytest.raises(TooManyRequests, match="5 orders per 1 minute"):
        limiter.count_orders("x", 1, 1, NOON_MS + 20_000)
    assert limiter.order_counts("y", NOON_MS) == (0, 0)


def test_what_is_remembered_is_bounded() -> None:
    limiter = RateLimiter(Limits(most_remembered=3))
    for number in range(10):
        limiter.weigh(str(number), 7, NOON_MS)
    assert [limiter.used_weight(str(number), NOON_MS) for number in range(10)] == [0] * 7 + [7] * 3


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 90_000)), max_size=60))
def test_what_passes_in_a_minute_never_exceeds_the_limit(requests: list[tuple[int, int]]) -> None:
    limiter, now = RateLimiter(Limits(request_weight_1m=50, refusals_before_ban=3)), NOON_MS
    passed: dict[int, int] = {}
    for weight, step in requests:
        now += step
        try:
            limiter.weigh("a", weight, now)
        except TooManyRequests as error:
            assert error.retry_after_s >= 1
            continue
        minute = now // 60_000
        passed[minute] = passed.get(minute, 0) + weight
    assert all(weight <= 50 for weight in passed.values())


@given(st.lists(st.tuples(st.integers(1, 5), st.integers(0, 12_000)), max_size=80))
def test_orders_that_pass_never_exceed_either_limit(requests: list[tuple[int, int]]) -> None:
    limiter, now = RateLimiter(Limits(orders_10s=6, orders_1m=15)), NOON_MS
    passed = []
    for count, step in requests:
        now += step
        try:
            limiter.count_orders("x", count, count, now)
        except TooManyRequests:
            continue
        passed += [now] * count
    for length, limit in ((10_000, 6), (60_000, 15)):
        windows = [time // length for time in passed]
        assert all(windows.count(window) <= limit for window in set(windows))


@given(st.lists(st.integers(0, 200_000), min_size=1, max_size=50))
def test_a_window_counts_from_its_edge_whatever_the_times(times: list[int]) -> None:
    window = Window(10_000)
    latest = 0
    for time in times:
        latest = max(latest, time)
        window.used_at(time)
        window.used += 1
        assert window.started_ms == latest - latest % 10_000

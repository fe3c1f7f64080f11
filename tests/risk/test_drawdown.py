"""Drawdown: what a day and a week are, that latches hold, and that only a release ends them."""

from datetime import UTC, datetime
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from risk.drawdown import DAY_NS, DrawdownGuard, Period, day_of, week_of

LIMITS = {Period.DAY: Decimal("0.03"), Period.WEEK: Decimal("0.06")}
NS = 1_000_000_000


def at(year: int, month: int, day: int, hour: int = 0, second: int = 0) -> int:
    return int(datetime(year, month, day, hour, 0, second, tzinfo=UTC).timestamp()) * NS


def after(*observations: tuple[int, str], guard: DrawdownGuard | None = None) -> DrawdownGuard:
    guard = guard or DrawdownGuard()
    for time_ns, equity in observations:
        guard = guard.observed({"USDT": Decimal(equity)}, LIMITS, time_ns)
    return guard


@given(moment=st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1)))  # noqa: DTZ001  # made UTC below
def test_days_and_weeks_are_those_of_the_calendar(moment: datetime) -> None:
    moment = moment.replace(tzinfo=UTC)
    time_ns = int(moment.timestamp()) * NS
    assert day_of(time_ns) == (moment.date() - datetime(1970, 1, 1, tzinfo=UTC).date()).days
    changes = week_of(time_ns + DAY_NS) != week_of(time_ns)
    assert changes == (moment.isoweekday() == 7)


def test_a_fall_of_exactly_the_limit_passes_and_a_hair_more_latches() -> None:
    day = at(2026, 6, 10)
    assert after((day, "100"), (day + 1, "97")).latches == ()
    latch = after((day, "100"), (day + 1, "96.99")).latched(Period.DAY)
    assert latch is not None
    assert (latch.asset, latch.drawdown, latch.event_time_ns) == ("USDT", Decimal("0.0301"), day + 1)


def test_a_new_day_starts_from_the_last_equity_before_it() -> None:
    guard = after((at(2026, 6, 10, 23), "100"), (at(2026, 6, 10, 23, 1), "98"), (at(2026, 6, 11), "96"))
    assert guard.marks["USDT"].high_day == Decimal(98)
    assert guard.latches == ()
    assert guard.marks["USDT"].high_week == Decimal(100)


def test_a_fall_over_midnight_is_not_lost() -> None:
    guard = after((at(2026, 6, 10, 23), "100"), (at(2026, 6, 11), "96"))
    assert guard.latched(Period.DAY) is not None


def test_the_week_runs_until_monday() -> None:
    sunday, monday = at(2026, 6, 14, 23), at(2026, 6, 15)
    falling = ((at(2026, 6, 10), "100"), (at(2026, 6, 11), "98"), (at(2026, 6, 12), "96"), (sunday, "94.5"))
    assert after(*falling).latches == ()
    assert after(*falling, (sunday + NS, "93.9")).latched(Period.WEEK) is not None
    assert after(*falling, (monday, "93.9")).latches == ()


@given(later=st.lists(st.tuples(st.integers(1, 40), st.integers(50, 300)), max_size=20))
def test_a_latch_holds_through_every_midnight_and_recovery(later: list[tuple[int, int]]) -> None:
    day = at(2026, 6, 10)
    guard = after((day, "100"), (day + 1, "90"))
    now = day + 1
    for hours, equity in later:
        now += hours * 3_600 * NS
        guard = after((now, str(equity)), guard=guard)
    assert guard.latched(Period.DAY) is not None
    assert guard.latched(Period.WEEK) is not None
    assert len([latch for latch in guard.latches if latch.period is Period.DAY]) == 1


def test_a_release_counts_from_the_present_equity() -> None:
    day = at(2026, 6, 10)
    guard = after((day, "100"), (day + 1, "90")).released()
    assert guard.latches == ()
    assert after((day + 2, "88"), guard=guard).latches == ()
    assert after((day + 2, "87"), guard=guard).latched(Period.DAY) is not None


def test_an_account_without_equity_is_latched() -> None:
    assert after((at(2026, 6, 10), "0")).latched(Period.DAY) is not None


def test_assets_are_counted_each_for_itself() -> None:
    day = at(2026, 6, 10)
    guard = DrawdownGuard().observed({"USDT": Decimal(100), "BTC": Decimal(2)}, LIMITS, day)
    guard = guard.observed({"USDT": Decimal(120), "BTC": Decimal("1.9")}, LIMITS, day + 1)
    assert [(latch.asset, latch.period) for latch in guard.latches] == [("BTC", Period.DAY)]

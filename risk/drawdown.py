"""Drawdown of equity from its highest value of the UTC day and of the week, and the latch that it trips.

The day's high-water mark starts anew at 00:00 UTC, the week's on Monday 00:00 UTC, each from the last equity before, so
that a gap over midnight hides no loss. A latch, once tripped, stays through midnights and restarts: only an operator's
resume releases it, which also starts the high-water marks anew.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import Enum

from sluice.decimals import MONEY, ONE, ZERO

DAY_NS = 86_400_000_000_000
#: 1970-01-01 was a Thursday: three days past a Monday.
_EPOCH_WEEKDAY = 3


class Period(Enum):
    """Over what a drawdown is counted."""

    DAY = "day"
    WEEK = "week"


@dataclass(frozen=True, slots=True)
class Latch:
    """A limit that tripped: on which asset and period, with what drawdown and when."""

    asset: str
    period: Period
    drawdown: Decimal
    limit: Decimal
    event_time_ns: int


@dataclass(frozen=True, slots=True)
class HighWater:
    """The high-water marks of one asset. `day` and `week` number the periods since 1970."""

    day: int
    week: int
    high_day: Decimal
    high_week: Decimal
    equity: Decimal

    def of(self, period: Period) -> Decimal:
        """Return the high-water mark of a period."""
        return self.high_day if period is Period.DAY else self.high_week

    def drawdown(self, period: Period) -> Decimal:
        """Return the fall from the high-water mark as a fraction; 1 where there is nothing left to fall from."""
        high = self.of(period)
        return MONEY.divide(high - self.equity, high) if high > ZERO else ONE


def day_of(event_time_ns: int) -> int:
    """Return the number of the UTC day since 1970-01-01."""
    return event_time_ns // DAY_NS


def week_of(event_time_ns: int) -> int:
    """Return the number of the week; weeks start on Monday 00:00 UTC."""
    return (day_of(event_time_ns) + _EPOCH_WEEKDAY) // 7


@dataclass(frozen=True, slots=True)
class DrawdownGuard:
    """The high-water marks of every settlement asset and the latches. Immutable: an observation makes the next one."""

    marks: Mapping[str, HighWater] = field(default_factory=dict)
    latches: tuple[Latch, ...] = ()

    def observed(
        self, equities: Mapping[str, Decimal], limits: Mapping[Period, Decimal], event_time_ns: int
    ) -> "DrawdownGuard":
        """Return the guard after equities by asset; a fall beyond a limit latches."""
        marks = dict(self.marks)
        latches = list(self.latches)
        for asset, equity in sorted(equities.items()):
            mark = marks[asset] = _advanced(marks.get(asset), equity, event_time_ns)
            for period, limit in limits.items():
                if mark.drawdown(period) > limit and not self._has(asset, period):
                    latches.append(Latch(asset, period, mark.drawdown(period), limit, event_time_ns))
        return DrawdownGuard(marks, tuple(latches))

    def latched(self, period: Period) -> Latch | None:
        """Return the first latch of a period, or None."""
        return next((latch for latch in self.latches if latch.period is period), None)

    def released(self) -> "DrawdownGuard":
        """Return the guard without latches, counting from the present equity on: what an operator's resume does."""
        return DrawdownGuard({
            asset: replace(mark, high_day=mark.equity, high_week=mark.equity) for asset, mark in self.marks.items()})

    def _has(self, asset: str, period: Period) -> bool:
        return any(latch.asset == asset and latch.period is period for latch in self.latches)


def _advanced(mark: HighWater | None, equity: Decimal, event_time_ns: int) -> HighWater:
    day, week = day_of(event_time_ns), week_of(event_time_ns)
    if mark is None:
        return HighWater(day, week, equity, equity, equity)
    start_day = mark.equity if day != mark.day else mark.high_day
    start_week = mark.equity if week != mark.week else mark.high_week
    return HighWater(day, week, max(start_day, equity), max(start_week, equity), equity)

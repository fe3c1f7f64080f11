"""Axes: round steps for values and times, and their labels. Times are UTC."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

_SECOND_NS = 1_000_000_000
#: Finer differences than this, of the value or of one, are rounding and not worth an axis.
_FINEST = 1e-8
#: Steps of a time axis in seconds.
_TIME_STEPS = (
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 2 * 86400, 7 * 86400,
    14 * 86400, 28 * 86400, 91 * 86400, 365 * 86400,
)


@dataclass(frozen=True, slots=True)
class Scale:
    """Maps values from `low` to `high` onto 0 to 1."""

    low: float
    high: float

    def at(self, value: float) -> float:
        """Return where a value lies: 0 at `low`, 1 at `high`; the middle where both are one."""
        return (value - self.low) / (self.high - self.low) if self.high > self.low else 0.5


def scale_of(values: Sequence[float], *, margin: float = 0.08) -> Scale:
    """Return a scale that shows every value with a margin; a flat series gets room above and below."""
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    largest = max(abs(low), abs(high))
    room = (high - low) * margin or largest * 1e-4 or 1.0
    room = max(room, largest * _FINEST, _FINEST)
    return Scale(low - room, high + room)


def value_ticks(scale: Scale, wanted: int = 5) -> list[float]:
    """Return about `wanted` round values inside a scale: multiples of 1, 2 or 5 times a power of ten."""
    step = _round_step((scale.high - scale.low) / wanted)
    first = math.ceil(scale.low / step)
    return [number * step for number in range(first, math.floor(scale.high / step) + 1)]


def value_labels(ticks: Sequence[float]) -> list[str]:
    """Return the labels of round values with just the decimals that tell them apart."""
    step = min((later - earlier for earlier, later in pairwise(ticks)), default=None)
    if step is None:
        return [f"{value:,.10g}" for value in ticks]
    decimals = max(0, min(10, -math.floor(math.log10(step) + 1e-9)))
    return [f"{value + 0.0:,.{decimals}f}".replace("-", "\N{MINUS SIGN}") for value in ticks]


def time_ticks(scale: Scale, wanted: int = 6) -> list[int]:
    """Return about `wanted` round times (nanoseconds, UTC) inside a scale of nanoseconds."""
    span_s = (scale.high - scale.low) / _SECOND_NS
    step_ns = next((s for s in _TIME_STEPS if span_s / s <= wanted), _TIME_STEPS[-1]) * _SECOND_NS
    first = -(-int(scale.low) // step_ns)
    return [number * step_ns for number in range(first, int(scale.high) // step_ns + 1)]


def time_labels(ticks: Sequence[int]) -> list[str]:
    """Return the labels of round times: clock times, or dates where the steps are days."""
    step_ns = min((later - earlier for earlier, later in pairwise(ticks)), default=_SECOND_NS)
    form = "%d %b" if step_ns >= 86400 * _SECOND_NS else "%H:%M" if step_ns >= 60 * _SECOND_NS else "%H:%M:%S"
    return [_utc(tick).strftime(form) for tick in ticks]


def utc(time_ns: int) -> str:
    """Return a time in full: 2024-08-08 23:59:59.123 UTC."""
    return f"{_utc(time_ns):%Y-%m-%d %H:%M:%S}.{time_ns // 1_000_000 % 1000:03d} UTC"


def utc_short(time_ns: int) -> str:
    """Return the date and time to the second: 2024-08-08 23:59:59."""
    return f"{_utc(time_ns):%Y-%m-%d %H:%M:%S}"


def span(duration_ns: int) -> str:
    """Return a duration in its two largest units: 2 h 05 min, 3 min 20 s."""
    seconds = duration_ns // _SECOND_NS
    days, hours, minutes = seconds // 86400, seconds // 3600 % 24, seconds // 60 % 60
    if days:
        return f"{days} d {hours:02d} h"
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {seconds % 60:02d} s" if minutes else f"{seconds} s"


def _utc(time_ns: int) -> datetime:
    return datetime.fromtimestamp(time_ns // _SECOND_NS, UTC)


def _round_step(rough: float) -> float:
    power = 10.0 ** math.floor(math.log10(rough))
    return float(next(factor for factor in (1, 2, 5, 10) if factor * power >= rough * (1 - 1e-9))) * power

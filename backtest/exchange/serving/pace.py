"""Pace and time of a served exchange: how tape time, the exchange's time and the machine's clock go together.

`realtime` and `<N>x` run by the machine's clock, scaled. At `max` the market goes as fast as clients read it, in
`lockstep` only when a client moves it; both have no time but the tape's. Pure: the clock is given.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from sluice.clock import NS_PER_MS, whole_milliseconds_ns
from sluice.errors import InputError


class PaceKind(Enum):
    """What moves the market."""

    CLOCK = "clock"
    MAX = "max"
    LOCKSTEP = "lockstep"


@dataclass(frozen=True, slots=True)
class Pace:
    """What moves the market, and how many seconds of it pass in one of the machine's (clock only)."""

    kind: PaceKind
    speed: float = 1.0


def parse_pace(text: str) -> Pace:
    """Return the pace of a setting: `realtime`, `max`, `lockstep` or a number with `x`. Raises `InputError`."""
    if text == "realtime":
        return Pace(PaceKind.CLOCK)
    if text in ("max", "lockstep"):
        return Pace(PaceKind(text))
    try:
        speed = float(text.removesuffix("x")) if text.endswith("x") else 0.0
    except ValueError:
        speed = 0.0
    if not 0 < speed <= 10_000:
        raise InputError(f"pace must be realtime, max, lockstep or a speed such as 10x, was {text!r}")
    return Pace(PaceKind.CLOCK, speed)


class Timeline:
    """Turns tape time into exchange time, and tells the exchange's time where the machine's clock moves it.

    `shift_ns` is what is added to every time of the tape, whole milliseconds. `begin` fixes both at the first frame.
    """

    def __init__(self, pace: Pace, rebased: bool, clock_ns: Callable[[], int], start_after_ns: int = 0) -> None:
        self.pace = pace
        self.rebased = rebased
        self.shift_ns = 0
        self._clock_ns = clock_ns
        self._start_after_ns = start_after_ns
        self._origin_clock_ns = 0
        self._origin_ns = 0

    def begin(self, first_tape_ns: int, clock_ns: int | None = None) -> None:
        """Set the exchange's time to the tape's beginning (plus what is to be played at once), now or as of a time.

        A market that was made to begin at a moment of the clock begins then, however long the start takes.
        """
        clock = self._clock_ns() if clock_ns is None else clock_ns
        start = first_tape_ns + self._start_after_ns
        if self.rebased:
            self.shift_ns = whole_milliseconds_ns(clock - start)
        self._origin_clock_ns = clock
        self._origin_ns = start + self.shift_ns

    def go_on_from(self, exchange_ns: int) -> None:
        """Let the exchange's time be this one now; where times are shifted to now there is nothing to move."""
        if not self.rebased:
            self._origin_clock_ns, self._origin_ns = self._clock_ns(), max(exchange_ns, self._origin_ns)

    def append(self, first_tape_ns: int, end_tape_ns: int) -> None:
        """Shift on, so that the tape begins again a second after its end."""
        gap = whole_milliseconds_ns(end_tape_ns - first_tape_ns + 1_000 * NS_PER_MS)
        self.shift_ns += gap

    def now_ns(self) -> int:
        """Return the exchange's time by the machine's clock; for a pace that the clock moves."""
        return self._origin_ns + int((self._clock_ns() - self._origin_clock_ns) * self.pace.speed)

    def clock_seconds(self, exchange_ns: int) -> float:
        """Return how many seconds of the machine's clock an amount of exchange time takes."""
        return exchange_ns / self.pace.speed / 1e9

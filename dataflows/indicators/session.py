"""Where a moment lies in the day, the week and the funding period: no state, all from the tick's own time.

Times are nanoseconds since the Unix epoch, UTC without leap seconds. A place on a circle is given as its sine and
cosine, so that 23:59 is next to 00:00; the week begins on Monday at 00:00 UTC. No calendar of holidays is known:
the market never closes.
"""

import math

from dataflows.indicators.registry import Clock, Feature, WarmUp
from dataflows.kernels import Floats, part

DAY_NS = 86_400_000_000_000
WEEK_NS = 7 * DAY_NS
MINUTE_NS = 60_000_000_000
#: From the epoch, which was a Thursday, back to Monday.
_EPOCH_AFTER_MONDAY_NS = 3 * DAY_NS

_NOW = WarmUp(0, Clock.SECONDS)


def _clock(name: str, definition: str, inputs: str, unit: str, low: float, high: float) -> Feature:
    return Feature(name, definition, "definition", inputs, _NOW, unit, low, high)


_TIME = "tick time"

FEATURES: tuple[Feature, ...] = (
    _clock("hour_of_day_sine", "sine of the time since UTC midnight, one day a turn", _TIME, "ratio", -1.0, 1.0),
    _clock("hour_of_day_cosine", "cosine of the same", _TIME, "ratio", -1.0, 1.0),
    _clock("day_of_week_sine", "sine of the time since Monday, 00:00 UTC, a week a turn", _TIME, "ratio", -1.0, 1.0),
    _clock("day_of_week_cosine", "cosine of the same", _TIME, "ratio", -1.0, 1.0),
    _clock("fraction_of_day", "time since UTC midnight over one day", _TIME, "ratio", 0.0, 1.0),
    _clock("minutes_to_funding", "time from the tick to the next funding that the venue last told of",
           "tick time, mark price stream", "minutes", 0.0, math.inf),
)


@part
def fill(tick_time_ns: int, next_funding_time_ns: int, values: Floats) -> None:
    """Write the features into `values`, of the length of `FEATURES`.

    `next_funding_time_ns` is 0 where it is not known; once it has passed, the next one is not known.
    """
    day = tick_time_ns % DAY_NS / DAY_NS
    week = (tick_time_ns + _EPOCH_AFTER_MONDAY_NS) % WEEK_NS / WEEK_NS
    values[0], values[1] = math.sin(2.0 * math.pi * day), math.cos(2.0 * math.pi * day)
    values[2], values[3] = math.sin(2.0 * math.pi * week), math.cos(2.0 * math.pi * week)
    values[4] = day
    left_ns = next_funding_time_ns - tick_time_ns
    values[5] = left_ns / MINUTE_NS if next_funding_time_ns > 0 and left_ns >= 0 else math.nan

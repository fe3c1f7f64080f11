"""What a feature is: its name and everything that somebody who reads a column of it must know.

Each family of indicators lists its features in the order in which its kernel fills them; a schema is a choice of such
lists. The reference page is generated from them. No value is computed here.
"""

import math
from dataclasses import dataclass
from enum import Enum


class Clock(Enum):
    """What a warm-up is counted in."""

    SECONDS = "seconds"
    BARS = "bars"
    TRADES = "trades"
    BUCKETS = "volume buckets"
    UPDATES = "updates"
    TICKS = "ticks"


@dataclass(frozen=True, slots=True)
class WarmUp:
    """How much must have been seen before a feature is valid: so many whole seconds, closed bars, and so on."""

    count: int
    clock: Clock


@dataclass(frozen=True, slots=True)
class Feature:
    """One column of a feature row.

    `definition` is the formula in words or symbols, `source` the publication that it is from, `inputs` what of the
    stream it is made of. `unit` is what a value is measured in ("bps", "ratio", "price", "base units", "1/s" and so
    on); values that are valid lie in `low` to `high`, both included.
    """

    name: str
    definition: str
    source: str
    inputs: str
    warm_up: WarmUp
    unit: str
    low: float = -math.inf
    high: float = math.inf

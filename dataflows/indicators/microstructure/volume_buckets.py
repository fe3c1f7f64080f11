"""VPIN: the share of volume that was one-sided, in buckets of equal volume.

Source: Easley, Lopez de Prado and O'Hara, "Flow Toxicity and Liquidity in a High-frequency World", Review of Financial
Studies 25, 2012: over n = 50 buckets, `sum |bought - sold| / sum of volume`. Trades fill one bucket after another, and
one that does not fit is split. Two departures. Sides are known from the stream, so no volume is classified by price
changes. The paper's buckets hold a fiftieth of an average day; here a bucket holds, when it opens, a fiftieth of what
was traded in the last 300 whole seconds, so it needs neither a day of history nor a setting per instrument. Sizes may
thus differ, and the denominator is the sum of the buckets' own volumes, which for equal ones is the paper's `n V`. An
open bucket that is larger than all that was traded in the last 300 s, as after a burst or a wrong quantity, is given up
for a new one: it would stop the clock of volume.
"""

import math

import numpy as np

from dataflows.indicators.microstructure import seconds as ring
from dataflows.indicators.registry import Clock, Feature, WarmUp
from dataflows.kernels import Floats, Record, part

BUCKET_COUNT = 50

VOLUME_BUCKETS = np.dtype(
    [
        # What a bucket that opens now would hold; 0 where nothing is known to go by.
        ("next_size", np.float64),
        # The open bucket: its size, 0 where none is open, and what is in it.
        ("size", np.float64),
        ("filled", np.float64),
        ("signed", np.float64),
        ("closed", np.int64),
        ("sizes", np.float64, (BUCKET_COUNT,)),
        ("imbalances", np.float64, (BUCKET_COUNT,)),
    ],
    align=True,
)

#: In the order in which `fill` writes.
FEATURES = (
    Feature(f"vpin_{BUCKET_COUNT}",
            f"sum of |bought - sold| over sum of volume of the last {BUCKET_COUNT} volume buckets; a bucket holds a "
            f"{BUCKET_COUNT}th of the volume of the last {ring.LONGEST_WINDOW} s before it opened, and the first opens "
            f"once {ring.LONGEST_WINDOW} whole seconds have been seen",
            "Easley, Lopez de Prado and O'Hara, Review of Financial Studies 25, 2012", "trades",
            WarmUp(BUCKET_COUNT, Clock.BUCKETS), "ratio", 0.0, 1.0),
)


@part
def restart(buckets: Record) -> None:
    """Forget every bucket."""
    buckets.next_size = 0.0
    buckets.closed = 0
    _forget_open(buckets)


@part
def on_second(buckets: Record, seconds: Record) -> None:
    """Set the size of the buckets that open in a second just entered."""
    buckets.next_size = 0.0
    if ring.has(seconds, ring.LONGEST_WINDOW):
        volume = 0.0
        for second in range(seconds.second - ring.LONGEST_WINDOW, seconds.second):
            bucket = seconds.buckets[ring.slot(second)]
            volume += bucket.bought + bucket.sold
        buckets.next_size = volume / BUCKET_COUNT
        if 0.0 < volume < buckets.size:
            _forget_open(buckets)


@part
def _forget_open(buckets: Record) -> None:
    buckets.size = 0.0
    buckets.filled = 0.0
    buckets.signed = 0.0


@part
def on_trade(buckets: Record, quantity: float, sign: float) -> None:
    """Take in a trade, closing each bucket that it fills. Work is bounded however large it is."""
    rest = quantity
    while rest > 0.0:
        if buckets.size == 0.0:
            if buckets.next_size == 0.0:
                return
            buckets.size = buckets.next_size
            if rest > BUCKET_COUNT * buckets.size:
                # More buckets than are remembered: those that would be forgotten at once are not filled.
                rest = BUCKET_COUNT * buckets.size + np.fmod(rest, buckets.size)
        room = buckets.size - buckets.filled
        taken = min(rest, room)
        buckets.filled += taken
        buckets.signed += sign * taken
        if rest >= room:
            _close(buckets)
        rest -= taken


@part
def fill(buckets: Record, values: Floats) -> None:
    """Fill the values of `FEATURES`, NaN where not warm."""
    values[0] = math.nan
    if buckets.closed >= BUCKET_COUNT:
        one_sided, volume = 0.0, 0.0
        for slot in range(BUCKET_COUNT):
            one_sided += buckets.imbalances[slot]
            volume += buckets.sizes[slot]
        values[0] = min(1.0, one_sided / volume)


@part
def _close(buckets: Record) -> None:
    slot = buckets.closed % BUCKET_COUNT
    buckets.sizes[slot] = buckets.size
    buckets.imbalances[slot] = abs(buckets.signed)
    buckets.closed += 1
    _forget_open(buckets)

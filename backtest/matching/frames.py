"""A whole frame of the market in one kernel call: levels as rows of price and quantity, then the end of the batch."""

import math

from backtest.kernels import kernel, part
from backtest.matching.ladder import apply_level, clear_book
from backtest.matching.resting import end_of_batch
from dataflows.kernels import Floats

#: How far from a whole number a price in ticks or a quantity in lots may be, by the rounding of floats.
_TOLERANCE = 1e-3


@kernel
def are_on_tick(levels: Floats, tick_numerator: float, tick_denominator: float) -> bool:
    """Tell whether every price is a positive multiple of the tick size, and no quantity negative or not a number."""
    for row in range(levels.shape[0]):
        ticks = levels[row, 0] * tick_denominator / tick_numerator
        if not (ticks > 0.5 and ticks < 2.0**52 and abs(ticks - round(ticks)) < _TOLERANCE):
            return False
        if not (levels[row, 1] >= 0.0 and levels[row, 1] < 2.0**62):
            return False
    return True


@kernel
def apply_frame(
    state: int, bids: Floats, asks: Floats, steps: Floats, snapshot: bool, venue_time: int, now_ns: int,
) -> None:
    """Apply the levels of a difference, or of a snapshot, and end the batch.

    `steps` holds the tick's and the lot's numerator and denominator. Quantities are cut to whole lots. The caller has
    made room for as many levels and has looked at them with `are_on_tick`.
    """
    if snapshot:
        clear_book(state)
    _apply(state, 1, bids, steps)
    _apply(state, -1, asks, steps)
    end_of_batch(state, venue_time, now_ns)


@part
def _apply(state: int, side: int, levels: Floats, steps: Floats) -> None:
    for row in range(levels.shape[0]):
        ticks = int(round(levels[row, 0] * steps[1] / steps[0]))  # noqa: RUF046  # a float in a kernel
        lots = int(math.floor(levels[row, 1] * steps[3] / steps[2] + _TOLERANCE))  # noqa: RUF046  # as above
        apply_level(state, side, ticks, lots)

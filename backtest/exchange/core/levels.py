"""Levels as a frame has them (floats) into the matching kernels' book (whole ticks and lots)."""

from backtest.kernels import kernel
from backtest.matching.kernel import apply_level
from backtest.matching.room import needs_room
from backtest.matching.state import MatchingState
from dataflows.kernels import Floats

#: Levels between two looks whether there is room; `room` leaves more than this free.
_STRIDE = 64


@kernel
def apply_levels(state: MatchingState, side: int, levels: Floats, start: int, tick: float, lot: float) -> int:
    """Set levels from row `start` on; return -1 at the end, or the row to go on with once there is room again."""
    for row in range(start, levels.shape[0]):
        if (row - start) % _STRIDE == _STRIDE - 1 and needs_room(state):
            return row
        apply_level(state, side, round(levels[row, 0] / tick), round(levels[row, 1] / lot))
    return -1

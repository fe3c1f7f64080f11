"""The synthetic order book: lots resting at every tick in a dense array, and which changed since the last update.

A kernel-side structure: the sides are 0 (bids) and 1 (asks), prices are indices from the bottom of the array. It never
crosses: who moves the quotes clears the other side first. It is no matching engine; the simulation says what trades.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from backtest.synthetic.draws import Generator, exponential, lognormal, uniform
from dataflows.kernels import Integers, kernel

BIDS = 0
ASKS = 1
#: Changed levels that one window may hold a side.
CHANGED_CAPACITY = 16_384
#: How strongly the hidden pressure tilts queue sizes: the logarithm of bid against ask sizes moves by twice this.
TILT = 0.45
#: Deviation of the logarithm of a queue's size.
QUEUE_DEVIATION = 0.9
#: How much further than the extent of the book its furthest orders may be left behind, as a part of the extent.
SLACK = 0.2


class Ladder(NamedTuple):
    """Both sides of a book. `best` holds the index of the best price of each side, `edge` that up to which orders rest.

    `changed` lists the indices that changed since `forget_changes`, the first `changes` of each side; `dirty`
    marks them.
    """

    quantity: Integers
    best: Integers
    edge: Integers
    dirty: NDArray[np.bool_]
    changed: Integers
    changes: Integers


def empty_ladder(ticks: int) -> Ladder:
    """Return a ladder of so many ticks without any order; its best prices mean nothing yet."""
    return Ladder(
        np.zeros((2, ticks), np.int64),
        np.zeros(2, np.int64),
        np.zeros(2, np.int64),
        np.zeros((2, ticks), np.bool_),
        np.zeros((2, CHANGED_CAPACITY), np.int64),
        np.zeros(2, np.int64),
    )


@kernel
def put(ladder: Ladder, side: int, index: int, lots: int) -> None:
    """Set the lots at a price and note the change."""
    if ladder.quantity[side, index] == lots:
        return
    ladder.quantity[side, index] = lots
    if not ladder.dirty[side, index]:
        ladder.dirty[side, index] = True
        ladder.changed[side, ladder.changes[side]] = index
        ladder.changes[side] += 1


@kernel
def forget_changes(ladder: Ladder) -> None:
    """Take what is there as told."""
    for side in range(2):
        for position in range(ladder.changes[side]):
            ladder.dirty[side, ladder.changed[side, position]] = False
        ladder.changes[side] = 0


@kernel
def queue_lots(state: Generator, side: int, lots: float, pressure: float) -> int:
    """Draw the size of a queue: lots in the middle, tilted to the side that the pressure favours."""
    tilt = exponential(TILT * pressure if side == BIDS else -TILT * pressure)
    return max(1, int(lognormal(state, lots * tilt, QUEUE_DEVIATION)))


@kernel
def populate(ladder: Ladder, state: Generator, bid: int, lots: float, density: float, extent: int) -> None:
    """Fill an empty book around a best bid: at each tick of an extent there is a queue with this probability."""
    for side in range(2):
        best = bid if side == BIDS else bid + 1
        ladder.best[side] = best
        ladder.edge[side] = best - extent + 1 if side == BIDS else best + extent - 1
        for distance in range(extent):
            index = best - distance if side == BIDS else best + distance
            if distance == 0 or uniform(state) < density:
                ladder.quantity[side, index] = queue_lots(state, side, lots, 0.0)


@kernel
def move_quotes(
    ladder: Ladder, state: Generator, bid: int, ask: int, lots: float, pressure: float, density: float
) -> None:
    """Move the best prices: cancel what would stand beyond them and put queues at and behind the new ones."""
    for index in range(bid + 1, ladder.best[BIDS] + 1):
        put(ladder, BIDS, index, 0)
    for index in range(ladder.best[ASKS], ask):
        put(ladder, ASKS, index, 0)
    for index in range(ladder.best[BIDS] + 1, bid + 1):
        if index == bid or uniform(state) < density:
            put(ladder, BIDS, index, queue_lots(state, BIDS, lots, pressure))
    for index in range(ladder.best[ASKS] - 1, ask - 1, -1):
        if index == ask or uniform(state) < density:
            put(ladder, ASKS, index, queue_lots(state, ASKS, lots, pressure))
    for side, best in ((BIDS, bid), (ASKS, ask)):
        ladder.best[side] = best
        if ladder.quantity[side, best] == 0:
            put(ladder, side, best, queue_lots(state, side, lots, pressure))


@kernel
def keep_extent(ladder: Ladder, state: Generator, lots: float, density: float, extent: int, longest: int) -> None:
    """Let the far ends of the book follow the best prices, at most `longest` ticks a side at once.

    Orders that the price has left behind are cancelled, and where it has come near the end of the book new ones are
    put there: the book stays as deep as it was made, however far the price goes.
    """
    slack = int(SLACK * extent)
    for side in range(2):
        outwards = -1 if side == BIDS else 1
        if (ladder.edge[side] - ladder.best[side]) * outwards < 0:
            ladder.edge[side] = ladder.best[side]
        for _ in range(longest):
            distance = (ladder.edge[side] - ladder.best[side]) * outwards
            if distance > extent + slack:
                put(ladder, side, ladder.edge[side], 0)
                ladder.edge[side] -= outwards
            elif distance < extent:
                ladder.edge[side] += outwards
                lots_here = queue_lots(state, side, lots, 0.0) if uniform(state) < density else 0
                put(ladder, side, ladder.edge[side], lots_here)
            else:
                break


@kernel
def is_behind(ladder: Ladder, side: int, index: int) -> bool:
    """Tell whether a price lies behind the best one and not beyond the end of the side."""
    if side == BIDS:
        return bool(ladder.edge[side] <= index < ladder.best[side])
    return bool(ladder.best[side] < index <= ladder.edge[side])


@kernel
def take(ladder: Ladder, state: Generator, side: int, lots: int) -> None:
    """Take lots from the best queue of a side; where it empties, the next one behind becomes the best."""
    best = ladder.best[side]
    left = ladder.quantity[side, best] - lots
    put(ladder, side, best, left)
    if left > 0:
        return
    behind = -1 if side == BIDS else 1
    index = best + behind
    for _ in range(2_000):
        if ladder.quantity[side, index] > 0:
            break
        index += behind
    if ladder.quantity[side, index] == 0:
        index = best + behind
        put(ladder, side, index, queue_lots(state, side, max(1.0, float(lots)), 0.0))
    ladder.best[side] = index

"""Setting one level of a side, for a stream of single levels such as a compiled tape."""

import numpy as np

from dataflows.book.sides import put_all
from dataflows.book.state import NO_HORIZON, WINDOW
from dataflows.book.window import settle
from dataflows.kernels import Record, part


@part
def put(side: Record, key: int, quantity: float) -> None:
    """Set the quantity of a key as `sides.put_all` does; 0 removes."""
    place = key - side.base
    if side.best == NO_HORIZON or place < 0 or place >= WINDOW:
        _put_anywhere(side, key, quantity)
        return
    side.count += (quantity != 0.0) - (side.window[place] != 0.0)
    side.window[place] = quantity
    if quantity != 0.0:
        side.best = max(side.best, key)
    elif key == side.best:
        settle(side)


@part
def _put_anywhere(side: Record, key: int, quantity: float) -> None:
    keys, quantities = np.empty(1, np.int64), np.empty(1)
    keys[0], quantities[0] = key, quantity
    put_all(side, keys, quantities)

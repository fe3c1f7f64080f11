"""What an actor remembers between two rows of a compiled tape.

A message of the venue is several rows there, of one time. They are one event, which ends where a row of another begins:
until then the group is open.
"""

import numpy as np

#: What an open group is: none, levels of the book, or best prices.
NO_GROUP, LEVELS, BEST = 0, 1, 2

ROWS = np.dtype(
    [
        ("group", np.int64),
        ("time_ns", np.int64),
        ("exchange_ns", np.int64),
        # Levels that the open group has set and removed.
        ("changed", np.int64),
        ("removed", np.int64),
        # Best prices of the open group: bid, its quantity, ask, its quantity.
        ("best", np.float64, (4,)),
        # Whether the book is one that is known: it began with a snapshot, or with no need of one.
        ("loaded", np.int64),
        ("next_tick_ns", np.int64),
    ],
    align=True,
)

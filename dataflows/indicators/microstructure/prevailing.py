"""The best prices that prevailed when a trade took place, by the venue's own times.

Trades and best prices come over streams of their own, of which now one, now the other is quicker: the last best prices
that were received before a trade may be those that it left behind. So a trade is held against the last ones of before
its own millisecond, as trades and quotes of one time stamp are matched in the literature (Holden and Jacobsen,
"Liquidity Measurement Problems in Fast, Competitive Markets", Journal of Finance 69, 2014). All fills of one order then
have the prices from before it. What was not received yet is not used.
"""

import math

import numpy as np

from dataflows.kernels import Floats, Record, part

#: Changes of the best prices that are remembered; on a recorded minute of BTCUSDT no trade had to look further back.
CAPACITY = 64

PREVAILING = np.dtype(
    [
        # Changes in all; the last of them are in the ring.
        ("count", np.int64),
        # When each took place by the venue; 0 where it does not say, which is before any trade.
        ("times_ns", np.int64, (CAPACITY,)),
        ("tops", np.float64, (CAPACITY, 4)),
        # The ones that were last asked for.
        ("found", np.float64, (4,)),
    ],
    align=True,
)


@part
def remember(state: Record, time_ns: int, top: Floats) -> None:
    """Take in a change of the best prices: best bid, its quantity, best ask, its quantity, NaN where unknown."""
    slot = state.count % CAPACITY
    state.times_ns[slot] = time_ns
    for index in range(top.size):
        state.tops[slot][index] = top[index]
    state.count += 1


@part
def find(state: Record, time_ns: int) -> None:
    """Let `found` be the last best prices of before a time by the venue, NaN where there was none yet.

    They are the newest of all where the time is 0 (unknown), the oldest that are remembered where each is too new.
    """
    if state.count == 0:
        state.found[:] = math.nan
        return
    newest, oldest = state.count - 1, max(0, state.count - CAPACITY)
    while time_ns != 0 and newest > oldest and state.times_ns[newest % CAPACITY] >= time_ns:
        newest -= 1
    for index in range(state.found.size):
        state.found[index] = state.tops[newest % CAPACITY][index]

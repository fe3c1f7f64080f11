"""Rows of a compiled tape: hftbacktest's event layout, its flags, and the order in which its engine wants events.

Layout and flags are those of hftbacktest 2 (`hftbacktest/types.py`, `hftbacktest/src/types.rs`), so that its engine and
ours read the same file. An event takes place twice: at the exchange, and at the recorder when it is received.
"""

import numpy as np
from numpy.typing import NDArray

EVENT_DTYPE = np.dtype(
    [
        ("ev", "<u8"),
        ("exch_ts", "<i8"),
        ("local_ts", "<i8"),
        ("px", "<f8"),
        ("qty", "<f8"),
        ("order_id", "<u8"),
        ("ival", "<i8"),
        ("fval", "<f8"),
    ]
)
Rows = NDArray[np.void]

DEPTH_EVENT = 1
TRADE_EVENT = 2
DEPTH_CLEAR_EVENT = 3
DEPTH_SNAPSHOT_EVENT = 4
DEPTH_BBO_EVENT = 5
SELL_EVENT = 1 << 28
BUY_EVENT = 1 << 29
LOCAL_EVENT = 1 << 30
EXCH_EVENT = 1 << 31


def ordered(rows: Rows) -> Rows:
    """Return rows such that those with `EXCH_EVENT` go by exchange time and those with `LOCAL_EVENT` by local time.

    A row that is in its place by both clocks stays one row with both flags; one that another overtook on the way
    becomes two, one for each clock. Equal times keep their order.
    """
    count = len(rows)
    by_exchange = np.argsort(rows["exch_ts"], kind="stable")
    by_local = np.argsort(rows["local_ts"], kind="stable")
    rank = np.empty(count, np.int64)
    rank[by_exchange] = np.arange(count)
    ranks = rank[by_local]
    furthest = np.maximum.accumulate(ranks) if count else ranks
    in_place = np.zeros(count, np.bool_)
    in_place[:1] = True
    in_place[1:] = ranks[1:] > furthest[:-1]
    early = np.ones(count, np.bool_)
    early[ranks[in_place]] = False
    # A place on the exchange's clock; what was overtaken stands right behind the last row that overtook it.
    places = np.concatenate([2 * ranks[in_place], 2 * np.flatnonzero(early), 2 * furthest[~in_place] + 1])
    sources = np.concatenate([by_local[in_place], by_exchange[early], by_local[~in_place]])
    sizes = (int(in_place.sum()), int(early.sum()), int((~in_place).sum()))
    flags = np.repeat(np.array([EXCH_EVENT | LOCAL_EVENT, EXCH_EVENT, LOCAL_EVENT], np.uint64), sizes)
    order = np.argsort(places, kind="stable")
    result: Rows = rows[sources[order]]
    result["ev"] |= flags[order]
    return result

"""What the quick reader says of a frame: one record of numbers, and scratch arrays for its price levels.

It is no event type: `binance_events` has those. Which fields a kind fills is said beside them; the others keep what
was there before. Milliseconds are the venue's, 0 where it does not say them; prices and rates that it does not say are
NaN.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dataflows.kernels import Floats, Integers, RecordArray

Text = NDArray[np.uint8]

# What a frame is; `DECLINED` where it must go the general way, through `binance.decode`.
DECLINED, BOOK_TICKER, TRADE, AGGREGATE_TRADE, DEPTH_UPDATE, MARK_PRICE = range(6)

#: Bytes that must follow the last frame of a buffer, so that eight can be read at once anywhere.
TAIL_BYTES = 64
_TAIL = bytes(TAIL_BYTES)
#: Levels of both sides of one frame that the scratch arrays hold; a frame with more is declined.
LEVEL_SCRATCH = 8192

DECIMAL_SLOTS, WHOLE_SLOTS = 8, 9

FRAME = np.dtype(
    [
        ("kind", np.int64),
        # Every kind: `E`, and `T` but for a mark price, whose `T` is the next funding time.
        ("event_time_ms", np.int64),
        ("transaction_time_ms", np.int64),
        # Depth update: `U`, `u`, `pu`. Best prices have `u`.
        ("first_update_id", np.int64),
        ("last_update_id", np.int64),
        ("previous_update_id", np.int64),
        # Trade: `t`. Aggregate trade: `a`, and the first and last of its trades, `f` and `l`.
        ("trade_id", np.int64),
        ("first_trade_id", np.int64),
        ("last_trade_id", np.int64),
        # Trades of both kinds.
        ("buyer_is_maker", np.int64),
        ("price", np.float64),
        ("quantity", np.float64),
        # Best prices.
        ("best_bid", np.float64),
        ("best_bid_quantity", np.float64),
        ("best_ask", np.float64),
        ("best_ask_quantity", np.float64),
        # Mark price; a rate is per funding interval.
        ("mark_price", np.float64),
        ("index_price", np.float64),
        ("funding_rate", np.float64),
        ("next_funding_time_ms", np.int64),
        # Depth update: the scratch arrays hold first the bids, then the asks.
        ("bid_count", np.int64),
        ("ask_count", np.int64),
        # What the reader has read before it knows what it means.
        ("decimals", np.float64, (DECIMAL_SLOTS,)),
        ("wholes", np.int64, (WHOLE_SLOTS,)),
    ],
    align=True,
)


def new_frame() -> RecordArray:
    """Return an empty record, as an array of one."""
    return np.zeros(1, FRAME)


def new_scratch() -> tuple[Integers, Floats]:
    """Return the arrays for a frame's levels: keys in ticks (bids positive, asks negative), quantities."""
    return np.empty(LEVEL_SCRATCH, np.int64), np.empty(LEVEL_SCRATCH)


def join(payloads: Sequence[bytes]) -> tuple[Text, Integers, Integers]:
    """Lay frames one behind the other, as `read_frame` reads them: the buffer, where each begins, where each ends.

    The buffer is read-only, as kernels are compiled for it.
    """
    if len(payloads) == 1:
        return np.frombuffer(payloads[0] + _TAIL, np.uint8), np.zeros(1, np.int64), np.array([len(payloads[0])])
    lengths = np.fromiter(map(len, payloads), np.int64, len(payloads))
    ends = np.cumsum(lengths + 1) - 1
    return np.frombuffer(b"\n".join((*payloads, _TAIL)), np.uint8), ends - lengths, ends

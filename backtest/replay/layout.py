"""The hot view: everything that a compiled backtest knows, as records in arrays that kernels read and write.

Types do not depend on how many instruments there are, so one compilation serves every run. Arrays are as large as they
may ever become and are not touched before they are needed: memory that nothing was written to costs nothing.

Prices are whole ticks and quantities whole lots (int64); a side is 1 (buy, bids) or -1 (sell, asks). Times are ns.
"""

from typing import NamedTuple

import numpy as np

from backtest.matching.state import MatchingState
from dataflows.kernels import Integers, RecordArray

BUY, SELL = 1, -1
#: A time that never comes.
NEVER = 2**62

# What a message says. Answers carry these as they are, or the matching's `OutputKind`, whose numbers end below.
REQUEST_NEW, REQUEST_CANCEL, REQUEST_AMEND = 1, 2, 3
CANCEL_REFUSED, AMEND_REFUSED, FUNDING = 101, 102, 103

# Status of an order as the strategy's side knows it.
PENDING, WORKING, PARTLY_FILLED, FILLED, CANCELED, EXPIRED, REJECTED = range(1, 8)

# What ended a wait.
TIMED_OUT, ENDED, FEED, RESPONSE = range(4)
# Rows of the feed that a wait can be for.
FEED_DEPTH, FEED_TRADES, FEED_ANY = 1, 2, 3

# What stops a run; see `backtest.replay.run`.
FULL_ORDERS, FULL_FILLS, FULL_MESSAGES, FULL_MATCHING, BAD_ARGUMENT = range(1, 6)

CLOCK = np.dtype(
    [
        ("now_ns", np.int64),
        ("problem", np.int64),           # one of the above; 0 is none
        ("ended", np.int64),
        ("orders", np.int64),            # ids used so far; an id is its place in `orders`, from 1
        ("fills", np.int64),
        ("updates", np.int64),           # answers that arrived during the last wait
        ("curve", np.int64),             # times recorded
        ("last_ns", np.int64),           # of the rows, by either clock
        ("next_record_ns", np.int64),
        ("record_interval_ns", np.int64),
        ("awaited", np.int64),           # an order whose answer ends a wait: 0 none, -1 any; -2 when it came
    ],
    align=True,
)

ASSET = np.dtype(
    [
        ("rows_address", np.int64),
        ("rows", np.int64),
        ("exchange_at", np.int64),       # the next row of each side
        ("local_at", np.int64),
        ("scan_at", np.int64),           # rows before it are known not to be waited for
        ("scan_mask", np.int64),
        ("ticks_per_price", np.float64),
        ("lots_per_quantity", np.float64),
        ("tick_size", np.float64),
        ("lot_size", np.float64),
        ("contract_size", np.float64),
        ("inverse", np.int64),
        ("maker_fee", np.float64),
        ("taker_fee", np.float64),
        ("depth_offset", np.int64),      # of tick 0 in `bids` and `asks`
        ("best_bid", np.int64),          # 0 where there is none
        ("best_ask", np.int64),
        ("bid_low", np.int64),           # no level is beyond these
        ("bid_high", np.int64),
        ("ask_low", np.int64),
        ("ask_high", np.int64),
        ("trades_offset", np.int64),     # in `trades`
        ("trades", np.int64),            # received during the last wait
        ("depth_changes", np.int64),     # rows of the book received during the last wait
        ("last_trade_ticks", np.int64),
        ("request_head", np.int64),
        ("request_tail", np.int64),
        ("response_head", np.int64),
        ("response_tail", np.int64),
        ("latency_offset", np.int64),
        ("latency_count", np.int64),
        ("funding_at", np.int64),
        ("funding_end", np.int64),
        ("open_first", np.int64),        # our orders that may still work, newest first; 0 ends the list
        ("open_count", np.int64),
        ("fills", np.int64),
        ("volume_lots", np.int64),
        ("value", np.float64),           # traded, in the quote asset
        ("fees", np.float64),            # in the settlement asset, as all money here
        ("funding", np.float64),
        ("realised", np.float64),
    ],
    align=True,
)

POSITION = np.dtype([("lots", np.int64), ("entry_price", np.float64)], align=True)

ORDER = np.dtype(
    [
        ("asset", np.int64),
        ("side", np.int64),
        ("type", np.int64),
        ("time_in_force", np.int64),
        ("price_ticks", np.int64),
        ("lots", np.int64),
        ("remaining_lots", np.int64),
        ("status", np.int64),
        ("reason", np.int64),            # `backtest.matching.state.Reason` of a refusal or an end
        ("position_side", np.int64),
        ("prevention", np.int64),
        ("reduce_only", np.int64),
        ("good_till_ns", np.int64),
        ("request", np.int64),           # what is on its way and not answered; 0 is nothing
        ("request_ns", np.int64),        # of submission
        ("exchange_ns", np.int64),       # of the latest answer
        ("response_ns", np.int64),
        ("filled_value", np.float64),    # ticks * lots
        ("next", np.int64),
        ("previous", np.int64),
    ],
    align=True,
)

REQUEST = np.dtype(
    [
        ("arrival_ns", np.int64),
        ("kind", np.int64),
        ("order_id", np.int64),
        ("price_ticks", np.int64),
        ("lots", np.int64),
    ],
    align=True,
)

RESPONSE_MESSAGE = np.dtype(
    [
        ("arrival_ns", np.int64),
        ("exchange_ns", np.int64),
        ("kind", np.int64),
        ("order_id", np.int64),
        ("reason", np.int64),
        ("price_ticks", np.int64),
        ("lots", np.int64),
        ("remaining_lots", np.int64),
        ("maker", np.int64),
        ("amount", np.float64),
    ],
    align=True,
)

FILL = np.dtype(
    [
        ("order_id", np.int64),
        ("asset", np.int64),
        ("side", np.int64),
        ("maker", np.int64),
        ("price_ticks", np.int64),
        ("lots", np.int64),
        ("exchange_ns", np.int64),
        ("local_ns", np.int64),
        ("fee", np.float64),
        ("realised", np.float64),
    ],
    align=True,
)

POINT = np.dtype(
    [
        ("time_ns", np.int64),
        ("asset", np.int64),
        ("position_lots", np.int64),
        ("mid_price", np.float64),       # NaN where a side is empty
        ("realised", np.float64),
        ("fees", np.float64),
        ("funding", np.float64),
        ("equity", np.float64),          # realised + unrealised at the middle - fees + funding
    ],
    align=True,
)

FUNDING_EVENT = np.dtype([("time_ns", np.int64), ("rate", np.float64), ("mark_price", np.float64)], align=True)

LATENCY = np.dtype([("request_ns", np.int64), ("exchange_ns", np.int64), ("response_ns", np.int64)], align=True)


class HotView(NamedTuple):
    """What a compiled strategy is given; `backtest.replay.calls` reads it and acts on it.

    `clock` has one record; `assets` one an instrument, as have the first axes of `positions` (second axis: BOTH, LONG,
    SHORT), `requests`, `responses`, and of the arrays of `matching`.
    """

    clock: RecordArray
    assets: RecordArray
    positions: RecordArray
    matching: MatchingState
    bids: Integers
    asks: Integers
    trades: Integers
    orders: RecordArray
    requests: RecordArray
    responses: RecordArray
    updates: RecordArray
    fills: RecordArray
    curve: RecordArray
    funding: RecordArray
    latency: RecordArray

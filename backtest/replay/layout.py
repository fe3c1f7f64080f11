"""The hot view: everything that a compiled backtest knows, as records in arrays that kernels read and write.

Kernels know a view by its address, that of its `CLOCK` record, so one compilation serves every run. Arrays are as large
as they may ever become and are not touched before they are needed: memory that nothing was written to costs nothing.

Prices are whole ticks and quantities whole lots (int64); a side is 1 (buy, bids) or -1 (sell, asks). Times are ns.
"""

from collections.abc import Sequence

import numpy as np

from backtest.matching.arrays import MatchingState
from dataflows.kernels import RecordArray

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
        ("entry_points", np.int64),      # address of the table of `entry_points.ENTRIES`; the first field
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
        ("assets", np.int64),            # addresses of arrays, and how long those are
        ("asset_count", np.int64),
        ("positions", np.int64),
        ("bids", np.int64),
        ("asks", np.int64),
        ("trades", np.int64),
        ("orders_address", np.int64),
        ("order_capacity", np.int64),
        ("requests", np.int64),
        ("responses", np.int64),
        ("messages", np.int64),          # of one ring
        ("updates_address", np.int64),
        ("update_capacity", np.int64),
        ("fills_address", np.int64),
        ("fill_capacity", np.int64),
        ("curve_address", np.int64),
        ("curve_capacity", np.int64),
        ("funding", np.int64),
        ("latency", np.int64),
    ],
    align=True,
)

ASSET = np.dtype(
    [
        ("matching", np.int64),          # address of the instrument's matching state
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
        ("timer_ns", np.int64),          # when funding or an order's date is next at the exchange
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

#: A number in an array of them.
NUMBER = np.dtype([("number", np.int64)], align=True)


class HotView:
    """What a run knows, and its memory: `address`, of the record `clock`, is what kernels and strategies are given.

    `assets` has a record an instrument, as have the first axes of `positions` (second axis: BOTH, LONG, SHORT),
    `requests` and `responses`; `matching` has a state an instrument, whose addresses are in `assets`.
    """

    def __init__(self, table: int, matching: Sequence[MatchingState], **arrays: RecordArray) -> None:
        """Take arrays that nobody else uses, the first of them `clock`; `table` is the address of the entry points."""
        self.matching = tuple(matching)
        self.clock, self.assets, self.positions = arrays["clock"], arrays["assets"], arrays["positions"]
        self.orders, self.fills, self.curve = arrays["orders"], arrays["fills"], arrays["curve"]
        self.updates = arrays["updates"]
        self._arrays = arrays
        self.address = int(self.clock.ctypes.data)
        self.clock["entry_points"] = table
        self.assets["matching"] = [state.address for state in self.matching]
        self._link()

    def _link(self) -> None:
        clock, arrays = self.clock[0], self._arrays
        for name in ("assets", "positions", "bids", "asks", "trades", "requests", "responses", "funding", "latency"):
            clock[name] = arrays[name].ctypes.data
        for name in ("orders", "updates", "fills", "curve"):
            clock[f"{name}_address"] = arrays[name].ctypes.data
        clock["asset_count"], clock["messages"] = len(self.assets), arrays["requests"].shape[1]
        clock["order_capacity"], clock["update_capacity"] = len(self.orders), len(self.updates)
        clock["fill_capacity"], clock["curve_capacity"] = len(self.fills), len(self.curve)

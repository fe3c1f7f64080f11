"""What one instrument's matching knows: fixed records in arrays, for kernels, and how they are made and copied.

Prices are whole ticks, quantities whole lots, both int64 and positive; a side is 1 (BUY, bids) or -1 (SELL, asks). A
*key* is `side * price_ticks`, so that the greatest key is the best price of either side. Prices that fire conditional
orders are *nanoticks*: ticks * 10**9, since a mark price lies between ticks.

Kernels know a state by its address, that of its `CORE` record, in which the addresses of its arrays are written; who
owns the arrays is `arrays.MatchingState`. Nothing here knows money.
"""

from enum import IntEnum

import numpy as np

#: The key of a side without a level.
NO_KEY = -(2**62)
#: The furthest key of a side without a level.
NO_FAR_KEY = 2**62
#: Nanoticks in a tick.
NANOTICKS = 1_000_000_000
#: Parts in a whole, for a trailing order's callback rate: 1 % is 10_000 of them.
MILLION = 1_000_000


class QueueModel(IntEnum):
    """How a resting order moves forward in the queue of its price; formulas are in `queueing`."""

    #: Trades at the price move it, and so does a displayed quantity below what was ahead. The default.
    RISK_AVERSE = 0
    #: A decrease is shared between before and behind by f(back) / (f(back) + f(front)), f(x) = x**n.
    POWER = 1
    #: f(back) / f(back + front), f(x) = x**n.
    POWER_2 = 2
    #: 1 - f(front / (front + back)), f(x) = x**n.
    POWER_3 = 3
    #: f(back) / (f(back) + f(front)), f(x) = log(1 + x).
    LOG = 4
    #: f(back) / f(back + front), f(x) = log(1 + x).
    LOG_2 = 5
    #: The exact place, from a feed with order ids (`market_orders`).
    FIFO = 6


class ImpactModel(IntEnum):
    """How much worse than the displayed levels a taker gets, beyond walking them; see `taking`."""

    NONE = 0
    LINEAR = 1
    SQUARE_ROOT = 2


class OutputKind(IntEnum):
    """What happened to an order."""

    ACCEPTED = 1
    FILL = 2
    CANCELED = 3
    EXPIRED = 4
    REJECTED = 5    # only of a conditional order that was submitted when it fired
    TRIGGERED = 6
    AMENDED = 7
    ACTIVATED = 8   # a trailing order has reached its activation price


class Reason(IntEnum):
    """Why an order was refused or ended; 0 is none."""

    NONE = 0
    NO_BOOK = 1
    REDUCE_ONLY = 2
    POST_ONLY = 3
    NO_COUNTERPARTY = 4
    FILL_OR_KILL = 5
    PRICE_TOO_HIGH = 6
    PRICE_TOO_LOW = 7
    DUPLICATE_ID = 8
    UNFILLED_REST = 9
    POSITION_CLOSED = 10
    SELF_TRADE = 11
    GOOD_TILL_DATE = 12
    WOULD_TRIGGER = 13
    UNKNOWN_ORDER = 14
    NO_ROOM = 15
    BAD_QUANTITY = 16
    SAME_ORDER = 17
    BAD_PRICE = 18


# Sorted lists of orders. In each, the last entry is the first to act; see `entries`.
BIDS, ASKS, EXPIRIES, LAST_RISES, LAST_FALLS, MARK_RISES, MARK_FALLS, LAST_TRAILS, MARK_TRAILS, REDUCERS = range(10)
LISTS = 10

SIDE = np.dtype(
    [
        ("cells", np.int64),       # address of the table, and of another of its size
        ("spare", np.int64),
        ("mask", np.int64),        # cells of the table less one
        ("sign", np.int64),        # 1 for bids, -1 for asks
        ("best_key", np.int64),    # NO_KEY where there is none
        ("far_key", np.int64),     # no level is further than this
        ("used", np.int64),        # cells that are not empty
        ("levels", np.int64),      # cells with a displayed quantity
        ("lost", np.int64),        # levels that found no room: `make_room` was not called
    ],
    align=True,
)

#: A table from ids to slots.
TABLE = np.dtype([("places", np.int64), ("mask", np.int64)], align=True)

#: A sorted list's length.
COUNT = np.dtype([("entries", np.int64)], align=True)

CORE = np.dtype(
    [
        ("entry_points", np.int64),      # address of the table of `entry_points.ENTRIES`; the first field
        ("bids", SIDE),
        ("asks", SIDE),
        ("orders", np.int64),            # address, as the next; rows of `entries` are as long as `order_capacity`
        ("entries", np.int64),
        ("order_capacity", np.int64),
        ("order_index", TABLE),
        ("output_rows", np.int64),       # address
        ("output_capacity", np.int64),
        ("market_orders", np.int64),     # address
        ("market_capacity", np.int64),
        ("market_index", TABLE),
        ("synced", np.int64),            # 1 where the displayed book is whole
        ("cleared", np.int64),           # 1 from a clearing to the end of its batch
        ("book_time", np.int64),         # the venue's time of the latest batch
        ("venue_time", np.int64),        # the venue's latest time of all
        ("epoch", np.int64),             # batches so far: what others traded counts within one
        ("sequence", np.int64),          # arrivals so far
        ("live", np.int64),              # orders resting or waiting for a trigger
        ("fresh", np.int64),             # slots ever used
        ("free", np.int64),              # first recycled slot + 1, 0 where there is none
        ("outputs", np.int64),
        ("lost_outputs", np.int64),
        ("counts", COUNT, (LISTS,)),
        ("position_both", np.int64),     # lots, negative where short
        ("position_long", np.int64),
        ("position_short", np.int64),    # negative or zero
        ("last_nanoticks", np.int64),    # 0 where unknown
        ("mark_nanoticks", np.int64),    # 0 where unknown
        ("highest_buy_ticks", np.int64),  # PERCENT_PRICE
        ("lowest_sell_ticks", np.int64),
        ("market_fresh", np.int64),
        ("market_free", np.int64),
        ("market_live", np.int64),
        ("queue_model", np.int64),
        ("queue_power", np.float64),
        ("quantity_per_lot", np.float64),
        ("partial_fills", np.int64),
        ("newer_level_wins", np.int64),
        ("simultaneous_trades", np.int64),
        ("submit_triggered", np.int64),
        ("impact_model", np.int64),
        ("impact_ticks", np.float64),
        ("impact_lots", np.float64),
    ],
    align=True,
)

#: A price level of one side. It is found at `price_ticks & mask`, or after it where another price is there already.
CELL = np.dtype(
    [
        ("price_ticks", np.int64),   # 0 where empty
        ("lots", np.int64),          # displayed
        ("taken", np.int64),         # by us, since the level was last named
        ("traded", np.int64),        # by others, in `epoch`
        ("epoch", np.int64),
        ("own", np.int64),           # our orders resting here
        ("spare_1", np.int64),       # makes it a cache line
        ("spare_2", np.int64),
    ],
    align=True,
)

ORDER = np.dtype(
    [
        ("order_id", np.int64),
        ("live", np.int64),
        ("sequence", np.int64),          # arrival, counted together with the market's orders
        ("side", np.int64),
        ("type", np.int64),              # `sluice.orders.OrderType`
        ("time_in_force", np.int64),     # `sluice.orders.TimeInForce`
        ("price_ticks", np.int64),       # 0 for market types
        ("lots", np.int64),
        ("remaining_lots", np.int64),
        ("queue_ahead", np.float64),     # lots that fill before it does
        ("traded_since", np.float64),    # lots traded at its price since the level was last named
        ("accepted_at", np.int64),       # the venue's time; earlier trades are none of its business
        ("good_till_ns", np.int64),      # 0 for no date
        ("position_side", np.int64),     # `sluice.orders.PositionSide`
        ("prevention", np.int64),        # `sluice.orders.SelfTradePrevention`
        ("reduce_only", np.int64),
        ("close_position", np.int64),
        ("resting", np.int64),
        ("list", np.int64),              # where it rests or waits
        ("key", np.int64),               # its place there
        ("trigger_nanoticks", np.int64),
        ("activation_nanoticks", np.int64),
        ("callback_millionths", np.int64),
        ("extreme_nanoticks", np.int64),  # best price since activation, 0 before
        ("next_free", np.int64),
    ],
    align=True,
)

ENTRY = np.dtype([("key", np.int64), ("sequence", np.int64), ("slot", np.int64)], align=True)

#: `slot` is counted from one; 0 is an empty place.
INDEX = np.dtype([("id", np.int64), ("slot", np.int64)], align=True)

OUTPUT = np.dtype(
    [
        ("order_id", np.int64),
        ("kind", np.int64),
        ("reason", np.int64),
        ("side", np.int64),
        ("position_side", np.int64),
        ("price_ticks", np.int64),      # of a fill; else the order's
        ("lots", np.int64),             # of a fill; else 0
        ("remaining_lots", np.int64),
        ("maker", np.int64),
        ("time_ns", np.int64),
    ],
    align=True,
)

MARKET_ORDER = np.dtype(
    [
        ("order_id", np.int64),
        ("side", np.int64),
        ("price_ticks", np.int64),
        ("lots", np.int64),
        ("sequence", np.int64),
        ("next_free", np.int64),
    ],
    align=True,
)

"""What a compiled strategy calls. Every function takes the hot view first; none of them allocates.

    from backtest.replay import BUY, SELL, calls, strategy

    @strategy
    def quote_one_bid(view):
        order = 0
        while calls.elapse(view, 100_000_000):
            if not calls.is_open(view, order):
                order = calls.submit_limit(view, 0, BUY, calls.best_bid(view, 0), 10, calls.GTX)

An instrument is its number in the run, from 0; an order is the number that `submit` gave it, from 1. Prices are ticks
and quantities lots. An argument that names no instrument or order ends the run with an error.
"""

from backtest.kernels import kernel, part
from backtest.replay.entry_points import ENTRIES
from backtest.replay.layout import (
    BAD_ARGUMENT,
    ENDED,
    FEED_ANY,
    FULL_ORDERS,
    PARTLY_FILLED,
    PENDING,
    REQUEST_AMEND,
    REQUEST_CANCEL,
    REQUEST_NEW,
)
from backtest.replay.market_calls import (
    best_ask,
    best_bid,
    depth_changes,
    depth_lots,
    imbalance,
    is_known,
    last_trade,
    lots_at,
    mid_price,
    next_level,
    trade,
    trades,
)
from backtest.replay.memory import asset_at, clock_of, order_at, position_at
from backtest.replay.messages import send_request
from backtest.replay.money import equity_of
from backtest.replay.waiting import wait
from dataflows.kernels import Record
from sluice.orders import OrderType, PositionSide, SelfTradePrevention, TimeInForce

LIMIT, MARKET = OrderType.LIMIT.value, OrderType.MARKET.value
GTC, IOC, FOK, GTX, GTD = (
    member.value for member in (TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK, TimeInForce.GTX, TimeInForce.GTD))
BOTH, LONG, SHORT = (member.value for member in PositionSide)
_NONE = SelfTradePrevention.NONE.value
#: The order that `wait_order_response` waits for where it is any.
ANY = -1

__all__ = [
    "ANY", "BOTH", "FOK", "GTC", "GTD", "GTX", "IOC", "LIMIT", "LONG", "MARKET", "SHORT", "amend", "assets",
    "best_ask", "best_bid", "can_cancel", "cancel", "depth_changes", "depth_lots", "elapse", "equity",
    "imbalance", "is_open", "last_trade", "lots_at", "mid_price", "next_level", "next_open", "now_ns",
    "open_orders", "order_price", "order_status", "position_lots", "remaining_lots", "submit", "submit_limit",
    "submit_market", "trade", "trades", "wait_next_feed", "wait_order_response",
]


@kernel
def elapse(view: int, duration_ns: int) -> bool:
    """Let time pass; tell whether there is more. When rows and messages are used up, it ends early."""
    return wait(view, clock_of(view).now_ns + duration_ns, 0, 0) != ENDED


@kernel
def wait_next_feed(view: int, timeout_ns: int, responses: bool = False, feed: int = FEED_ANY) -> int:
    """Wait for a row of the feed (or an answer, too); return TIMED_OUT, ENDED, FEED or RESPONSE.

    `feed` narrows it to FEED_DEPTH or FEED_TRADES. Every row that is received at that moment has been taken in.
    """
    return wait(view, clock_of(view).now_ns + timeout_ns, feed, -1 if responses else 0)


@kernel
def wait_order_response(view: int, timeout_ns: int, order: int = ANY) -> int:
    """Wait for an answer to an order, or to any; return TIMED_OUT, ENDED or RESPONSE."""
    return wait(view, clock_of(view).now_ns + timeout_ns, 0, order)


@kernel
def now_ns(view: int) -> int:
    """Return the strategy's time."""
    return int(clock_of(view).now_ns)


@kernel
def assets(view: int) -> int:
    """Return how many instruments there are."""
    return int(clock_of(view).asset_count)


# The account


@kernel
def position_lots(view: int, asset: int, position_side: int = BOTH) -> int:
    """Return a position as known here, negative where short."""
    if not is_known(view, asset) or not 1 <= position_side <= 3:
        return 0
    return int(position_at(view, asset, position_side - 1).lots)


@kernel
def equity(view: int, asset: int) -> float:
    """Return what an instrument has earned so far, in its settlement asset, at the middle of the book."""
    return equity_of(view, asset) if is_known(view, asset) else 0.0


# Orders


@kernel
def submit(
    view: int, asset: int, side: int, order_type: int, time_in_force: int, price_ticks: int, lots: int,
    position_side: int = BOTH, reduce_only: int = 0, good_till_ns: int = 0, prevention: int = _NONE,
) -> int:
    """Send an order and return its number; 0 where the run ends because there is no room for one more."""
    return send_order(
        view, asset, side, order_type, time_in_force, price_ticks, lots, position_side, reduce_only, good_till_ns,
        prevention)


@ENTRIES.entry
def send_order(
    view: int, asset: int, side: int, order_type: int, time_in_force: int, price_ticks: int, lots: int,
    position_side: int, reduce_only: int, good_till_ns: int, prevention: int,
) -> int:
    """Send an order; see `submit`."""
    clock = clock_of(view)
    if not is_known(view, asset):
        return 0
    if clock.orders + 1 >= clock.order_capacity:
        clock.problem = FULL_ORDERS
        return 0
    if (side not in (1, -1)) or not 1 <= position_side <= 3:
        clock.problem = BAD_ARGUMENT
        return 0
    clock.orders += 1
    order = order_at(view, clock.orders)
    _describe(order, asset, side, order_type, time_in_force, price_ticks, lots)
    order.position_side, order.reduce_only = position_side, reduce_only
    order.good_till_ns, order.prevention = good_till_ns, prevention
    order.request_ns = clock.now_ns
    _open(view, asset_at(view, asset), int(clock.orders))
    send_request(view, asset, REQUEST_NEW, int(clock.orders), price_ticks, lots)
    return int(clock.orders)


@part
def _describe(
    order: Record, asset: int, side: int, order_type: int, time_in_force: int, price_ticks: int, lots: int,
) -> None:
    order.asset = asset
    order.side = side
    order.type = order_type
    order.time_in_force = time_in_force
    order.price_ticks = price_ticks
    order.lots = lots
    order.remaining_lots = lots
    order.status = PENDING
    order.request = REQUEST_NEW


@part
def _open(view: int, of: Record, number: int) -> None:
    order = order_at(view, number)
    order.next = of.open_first
    if of.open_first:
        order_at(view, of.open_first).previous = number
    of.open_first = number
    of.open_count += 1


@kernel
def submit_limit(
    view: int, asset: int, side: int, price_ticks: int, lots: int, time_in_force: int = GTC, reduce_only: int = 0,
) -> int:
    """Send a limit order and return its number."""
    return submit(view, asset, side, LIMIT, time_in_force, price_ticks, lots, BOTH, reduce_only)


@kernel
def submit_market(view: int, asset: int, side: int, lots: int, reduce_only: int = 0) -> int:
    """Send a market order and return its number."""
    return submit(view, asset, side, MARKET, GTC, 0, lots, BOTH, reduce_only)


@part
def _exists(view: int, order: int) -> bool:
    return bool(0 < order <= clock_of(view).orders)


@kernel
def cancel(view: int, order: int) -> bool:
    """Ask for an order's end; tell whether that was sent: not where it is over, or another request is on its way."""
    return ask(view, order, REQUEST_CANCEL, 0, 0) != 0


@kernel
def amend(view: int, order: int, price_ticks: int, lots: int) -> bool:
    """Ask for another price and quantity (with what is filled); tell whether that was sent, as `cancel` does."""
    return ask(view, order, REQUEST_AMEND, price_ticks, lots) != 0


@ENTRIES.entry
def ask(view: int, order: int, kind: int, price_ticks: int, lots: int) -> bool:
    """Send a request about an order, unless one is on its way."""
    if not is_open(view, order) or order_at(view, order).request > REQUEST_NEW:
        return False
    order_at(view, order).request = kind
    send_request(view, int(order_at(view, order).asset), kind, order, price_ticks, lots)
    return True


@kernel
def is_open(view: int, order: int) -> bool:
    """Tell whether an order is on its way to the exchange or may still work there, as far as is known here."""
    return _exists(view, order) and bool(order_at(view, order).status <= PARTLY_FILLED)


@kernel
def can_cancel(view: int, order: int) -> bool:
    """Tell whether an order works and no request for it is on its way."""
    return is_open(view, order) and bool(order_at(view, order).request == 0)


@kernel
def order_price(view: int, order: int) -> int:
    """Return an order's price in ticks, 0 for a market order or none."""
    return int(order_at(view, order).price_ticks) if _exists(view, order) else 0


@kernel
def order_status(view: int, order: int) -> int:
    """Return an order's status as known here (PENDING to REJECTED), 0 for none."""
    return int(order_at(view, order).status) if _exists(view, order) else 0


@kernel
def remaining_lots(view: int, order: int) -> int:
    """Return what of an order is not filled as far as known here."""
    return int(order_at(view, order).remaining_lots) if _exists(view, order) else 0


@kernel
def open_orders(view: int, asset: int) -> int:
    """Return how many orders of an instrument are open."""
    return int(asset_at(view, asset).open_count) if is_known(view, asset) else 0


@kernel
def next_open(view: int, asset: int, order: int = 0) -> int:
    """Return the open order that was submitted before this one, 0 where there is none; for 0 the newest."""
    if not is_known(view, asset):
        return 0
    return int(order_at(view, order).next) if _exists(view, order) else int(asset_at(view, asset).open_first)

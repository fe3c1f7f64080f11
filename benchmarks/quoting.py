"""The strategy that the backtest's benchmark and tests run: one bid and one ask at the touch, post only, every 100 ms.

It is strategy `l2` of the comparison with hftbacktest, written for our engine: an order that is not at the touch any
more is canceled, one that is over is placed again, and the position stays within ten orders to either side.
"""

import numpy as np

from backtest.replay import BUY, SELL, calls, strategy

STEP_NS = 100_000_000
LOTS = 10
MOST_LOTS = 100


@strategy
def quote_touch(view: int) -> int:
    """Quote every instrument until its rows end; return the steps."""
    bids, asks = np.zeros(calls.assets(view), np.int64), np.zeros(calls.assets(view), np.int64)
    steps = 0
    while calls.elapse(view, STEP_NS):
        steps += 1
        for asset in range(calls.assets(view)):
            lots = calls.position_lots(view, asset)
            bids[asset] = _quote(view, asset, BUY, calls.best_bid(view, asset), bids[asset], lots < MOST_LOTS)
            asks[asset] = _quote(view, asset, SELL, calls.best_ask(view, asset), asks[asset], lots > -MOST_LOTS)
    return steps


@strategy
def _quote(view: int, asset: int, side: int, price_ticks: int, order: int, more: bool) -> int:
    """Keep one order at a price; return its number, 0 for none."""
    if order and not calls.is_open(view, order):
        order = 0
    elif order and calls.order_price(view, order) != price_ticks and calls.can_cancel(view, order):
        calls.cancel(view, order)
    if order == 0 and more:
        return calls.submit_limit(view, asset, side, price_ticks, LOTS, calls.GTX)
    return order


@strategy
def place_and_cancel(view: int, orders: int, step_ns: int) -> int:
    """Place so many orders, one a step, below the best bid, and cancel each a step later; return how many it placed."""
    order = 0
    for number in range(orders):
        if not calls.elapse(view, step_ns):
            return number
        if order:
            calls.cancel(view, order)
        order = calls.submit_limit(view, 0, BUY, calls.best_bid(view, 0) - 1, LOTS)
    return orders

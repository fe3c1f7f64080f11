"""The quoting strategy of `test_against_peer` on hftbacktest: FEED.npy and a queue model in, fills as JSON out.

It runs in an environment of its own, `.venv-judges`, where hftbacktest is.
"""

import json
import sys
from typing import Any

import hftbacktest as peer  # type: ignore[import-not-found]  # it is in .venv-judges only
import numpy as np
from numba import njit

FILLED = 3


@njit
def quote(engine: Any, found: Any, step_ns: int) -> tuple[int, int]:
    """Keep one bid and one ask of 1 at the touch, post only; note (order, ns at the exchange, price) of fills."""
    count, number, own = 0, 1, np.zeros(2, np.int64)
    while engine.elapse(step_ns) == 0:
        orders, depth = engine.orders(0), engine.depth(0)
        values = orders.values()
        while values.has_next():
            order = values.get()
            if order.status == FILLED:
                found[count, 0], found[count, 1], found[count, 2] = (
                    order.order_id, order.exch_timestamp, order.exec_price_tick)
                count += 1
        engine.clear_inactive_orders(0)
        best = (depth.best_bid_tick, depth.best_ask_tick)
        for side in range(2):
            if own[side] > 0:
                if own[side] not in orders:
                    own[side] = 0
                else:
                    order = orders.get(own[side])
                    if order.price_tick != best[side] and order.cancellable:
                        engine.cancel(0, own[side], False)
            if own[side] == 0:
                if side == 0:
                    engine.submit_buy_order(0, number, best[0] * 1.0, 1.0, peer.GTX, peer.LIMIT, False)
                else:
                    engine.submit_sell_order(0, number, best[1] * 1.0, 1.0, peer.GTX, peer.LIMIT, False)
                own[side] = number
                number += 1
    return count, number - 1


def main(feed: str, model: str) -> None:
    """Run it and print what came of it."""
    rows = np.load(feed)  # The peer holds no reference to it.
    asset = (peer.BacktestAsset().data(rows).linear_asset(1.0).constant_order_latency(3_000_000, 2_000_000)
             .trading_value_fee_model(0.0, 0.0).tick_size(1.0).lot_size(1.0).no_partial_fill_exchange())
    asset = asset.risk_adverse_queue_model() if model == "RISK_AVERSE" else asset.power_prob_queue_model(3.0)
    found = np.zeros((100_000, 3), np.int64)
    engine = peer.HashMapMarketDepthBacktest([asset])
    count, orders = quote(engine, found, 50_000_000)
    engine.close()
    print(json.dumps({"orders": int(orders), "fills": sorted(found[:count].tolist())}))


if __name__ == "__main__":
    main(*sys.argv[1:])

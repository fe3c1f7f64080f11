"""hftbacktest as a judge: the strategy of `benchmarks.quoting` on a compiled tape, filled whole or not.

    .venv-judges/bin/python hftbacktest_quoting.py TAPE.npy ra|prob

Prints one line of JSON: the orders it sent, its fills and volume, and its cash from trades.
"""

import json
import sys
from typing import Any

import numpy as np
from hftbacktest import GTX, LIMIT, BacktestAsset, HashMapMarketDepthBacktest
from numba import njit

TICK, LOT = 0.1, 0.001
LATENCY_NS = 5_000_000


@njit
def quote_touch(engine: Any) -> int:
    """Quote one bid and one ask at the touch every 100 ms until the rows end; return the orders sent."""
    sent, bid, ask = 0, 0, 0
    while engine.elapse(100_000_000) == 0:
        engine.clear_inactive_orders(0)
        depth, orders, position = engine.depth(0), engine.orders(0), engine.position(0)
        if bid > 0:
            if bid not in orders:
                bid = 0
            elif orders.get(bid).price_tick != depth.best_bid_tick and orders.get(bid).cancellable:
                engine.cancel(0, bid, False)
        if bid == 0 and position < 0.1 - 1e-9:
            sent += 1
            engine.submit_buy_order(0, sent, depth.best_bid_tick * TICK, 0.01, GTX, LIMIT, False)
            bid = sent
        if ask > 0:
            if ask not in orders:
                ask = 0
            elif orders.get(ask).price_tick != depth.best_ask_tick and orders.get(ask).cancellable:
                engine.cancel(0, ask, False)
        if ask == 0 and position > -0.1 + 1e-9:
            sent += 1
            engine.submit_sell_order(0, sent, depth.best_ask_tick * TICK, 0.01, GTX, LIMIT, False)
            ask = sent
    return sent


def main() -> None:
    """Run the strategy and print what came of it."""
    rows = np.load(sys.argv[1])  # the engine holds its address only
    asset = BacktestAsset().data(rows).linear_asset(1.0).tick_size(TICK).lot_size(LOT)
    asset = asset.constant_order_latency(LATENCY_NS, LATENCY_NS).trading_value_fee_model(0.0002, 0.0005)
    asset = asset.power_prob_queue_model(3.0) if sys.argv[2] == "prob" else asset.risk_adverse_queue_model()
    engine = HashMapMarketDepthBacktest([asset.no_partial_fill_exchange()])
    sent = quote_touch(engine)
    values = engine.state_values(0)
    print(json.dumps({
        "rows": len(rows), "orders": int(sent), "fills": int(values.num_trades), "volume": float(values.trading_volume),
        "cash": float(values.balance), "fees": float(values.fee), "position": float(values.position)}))


if __name__ == "__main__":
    main()

"""The same quotes on the same feed are filled by the kernels and by hftbacktest: orders, times and prices agree."""

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest

from backtest.matching.state import QueueModel
from backtest.replay import BUY, SELL, Backtest, MatchingRules, OrderLatency, ReplayAsset, calls, strategy
from dataflows.kernels import RecordArray
from dataflows.tapes.rows import (
    BUY_EVENT,
    DEPTH_EVENT,
    EVENT_DTYPE,
    EXCH_EVENT,
    LOCAL_EVENT,
    SELL_EVENT,
    TRADE_EVENT,
)

JUDGES = Path(__file__).parents[3] / ".venv-judges" / "bin" / "python"
SIDES = {1: BUY_EVENT, -1: SELL_EVENT}

needs_peer = pytest.mark.skipif(not JUDGES.exists(), reason="needs hftbacktest in .venv-judges (`make judges`)")


class Feed:
    """A random market in whole lots, 5 levels a side, whose levels never cross."""

    def __init__(self, seed: int) -> None:
        self.random, self.middle, self.now = np.random.default_rng(seed), 1000, 1_700_000_000_000_000_000
        self.book: dict[tuple[int, int], int] = {}
        self.rows: list[tuple[int, int, int, int, int]] = []

    def level(self, side: int, price: int, lots: int) -> None:
        if self.book.get((side, price), 0) != lots:
            self.book[side, price] = lots
            self.rows.append((self.now, DEPTH_EVENT, side, price, lots))

    def step(self) -> None:
        self.now += int(self.random.integers(1, 20)) * 1_000_000
        self.middle += int(self.random.choice([-1, 0, 0, 0, 0, 0, 0, 1]))
        for side, price in list(self.book):
            if side * (price - self.middle) >= 0:
                self.level(side, price, 0)
        for side in (1, -1):
            for distance in range(1, 6):
                price = self.middle - side * distance
                if not self.book.get((side, price)) or self.random.random() < 0.3:
                    self.level(side, price, int(self.random.integers(1, 12)))
        if self.random.random() < 0.5:
            self.trade(int(self.random.choice([1, -1])))

    def trade(self, side: int) -> None:
        price = self.middle + side
        lots = int(self.random.integers(1, self.book[-side, price] + 1))
        self.now += 1_000_000
        self.rows.append((self.now, TRADE_EVENT, side, price, lots))
        self.now += 1_000_000
        self.level(-side, price, self.book[-side, price] - lots)


def a_feed(seed: int, steps: int = 6000) -> RecordArray:
    """Return rows of a random market, received 1 ms later."""
    feed = Feed(seed)
    for _ in range(steps):
        feed.step()
    return _as_rows(feed.rows)


def _as_rows(rows: list[tuple[int, int, int, int, int]]) -> RecordArray:
    feed = np.zeros(len(rows), EVENT_DTYPE)
    for at, (time_ns, kind, side, price, lots) in enumerate(rows):
        feed[at]["ev"] = kind | SIDES[side] | EXCH_EVENT | LOCAL_EVENT
        feed[at]["exch_ts"], feed[at]["local_ts"] = time_ns, time_ns + 1_000_000
        feed[at]["px"], feed[at]["qty"] = price, lots
    return feed


@strategy
def quote(view: int, step_ns: int) -> None:
    own_bid = own_ask = 0
    while calls.elapse(view, step_ns):
        bid, ask = calls.best_bid(view, 0), calls.best_ask(view, 0)
        if not calls.is_open(view, own_bid):
            own_bid = calls.submit_limit(view, 0, BUY, bid, 1, calls.GTX)
        elif calls.order_price(view, own_bid) != bid and calls.can_cancel(view, own_bid):
            calls.cancel(view, own_bid)
        if not calls.is_open(view, own_ask):
            own_ask = calls.submit_limit(view, 0, SELL, ask, 1, calls.GTX)
        elif calls.order_price(view, own_ask) != ask and calls.can_cancel(view, own_ask):
            calls.cancel(view, own_ask)


def ours(feed: RecordArray, model: QueueModel) -> tuple[int, list[list[int]]]:
    asset = ReplayAsset(
        "A", feed, 1.0, 1.0, latency=OrderLatency.constant(3_000_000, 2_000_000),
        matching=MatchingRules(queue_model=model, partial_fills=False))
    result = Backtest([asset]).run(quote, 50_000_000)
    fills = [[int(fill["order_id"]), int(fill["exchange_ns"]), int(fill["price_ticks"])] for fill in result.fills]
    return len(result.orders), sorted(fills)


@needs_peer
@pytest.mark.parametrize("model", [QueueModel.RISK_AVERSE, QueueModel.POWER], ids=lambda model: model.name)
def test_orders_times_and_prices_are_the_peers(tmp_path: Path, model: QueueModel) -> None:
    feed = a_feed(seed=7)
    np.save(tmp_path / "feed.npy", feed)

    script = Path(__file__).with_name("peer_session.py")
    done = subprocess.run(
        [JUDGES, script, tmp_path / "feed.npy", model.name], capture_output=True, text=True, check=True)
    theirs = json.loads(done.stdout)

    orders, fills = ours(feed, model)
    assert len(fills) > 100
    assert fills == theirs["fills"]
    assert orders == theirs["orders"]

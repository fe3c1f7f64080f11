"""A plain Python strategy is run by the same engine: it gives the orders and fills of the compiled one."""

import pytest

from backtest.matching.state import QueueModel
from backtest.replay import BUY, SELL, Backtest, PythonStrategy, calls, run_strategy
from backtest.replay.objects import Account, OrderUpdate, TradeSeen
from benchmarks.quoting import LOTS, MOST_LOTS, STEP_NS, quote_touch
from tests.backtest.replay.feeds import asset_of, make_feed

ROWS = make_feed(12, 3_000)


class QuoteTouch(PythonStrategy):
    """`benchmarks.quoting.quote_touch` as an object."""

    timer_ns = STEP_NS

    def __init__(self) -> None:
        self.orders = {BUY: 0, SELL: 0}

    def on_timer(self, account: Account) -> None:
        lots = account.position_lots()
        for side, price in ((BUY, account.best_bid()), (SELL, account.best_ask())):
            order = self.orders[side]
            if order and not account.is_open(order):
                order = 0
            elif order and account.order_price(order) != price and account.can_cancel(order):
                account.cancel(order)
            if order == 0 and side * lots < MOST_LOTS:
                order = account.submit(0, side, LOTS, price, time_in_force=calls.GTX)
            self.orders[side] = order


@pytest.mark.parametrize("queue", [QueueModel.RISK_AVERSE, QueueModel.POWER])
@pytest.mark.parametrize("partial", [False, True])
def test_object_and_compiled_strategy_do_the_same(queue: QueueModel, partial: bool) -> None:
    compiled = Backtest([asset_of(ROWS, queue=queue, partial_fills=partial)]).run(quote_touch)
    plain = run_strategy(Backtest([asset_of(ROWS, queue=queue, partial_fills=partial)]), QuoteTouch())
    assert compiled.assets[0].fills > 10
    assert plain.fills.tobytes() == compiled.fills.tobytes()
    assert plain.orders.tobytes() == compiled.orders.tobytes()


class Watches(PythonStrategy):
    """Counts what it is told."""

    def __init__(self) -> None:
        self.books, self.trades = 0, [TradeSeen(0, 0, 0, 0, 0)][:0]
        self.updates = [OrderUpdate(0, 0, 0, 0, 0, 0, False, 0, 0, 0.0)][:0]
        self.times: list[int] = []

    def on_book(self, account: Account, asset: int) -> None:
        self.books += 1
        self.times.append(account.now_ns)
        if self.books == 100:
            account.submit(asset, BUY, 5, order_type=calls.MARKET)

    def on_trade(self, account: Account, asset: int, trade: TradeSeen) -> None:
        self.trades.append(trade)
        assert trade.local_ns == account.now_ns

    def on_order(self, account: Account, asset: int, update: OrderUpdate) -> None:
        self.updates.append(update)
        assert update.local_ns == account.now_ns


def test_callbacks_tell_every_trade_book_and_answer_once_in_time() -> None:
    strategy = Watches()
    result = run_strategy(Backtest([asset_of(ROWS)]), strategy)
    kinds = ROWS["ev"] & 0xFF
    expected = ROWS[kinds == 2]
    assert [trade.exchange_ns for trade in strategy.trades] == expected["exch_ts"].tolist()
    assert [trade.lots for trade in strategy.trades] == (expected["qty"] * 1000).round().astype(int).tolist()
    assert strategy.books == len(set(ROWS["local_ts"][kinds == 1].tolist()))
    assert strategy.times == sorted(strategy.times)
    assert sum(update.lots for update in strategy.updates) == 5
    assert result.assets[0].fills == len([update for update in strategy.updates if update.lots])

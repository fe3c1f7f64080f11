"""Plain Python strategies: an object with callbacks, woken only for what it asks for.

    class Follow(PythonStrategy):
        def on_trade(self, account, asset, trade): ...

A callback that a class does not define is not waited for. At one moment the callbacks come in this order: every
instrument's book, then trades, then answers to orders, then the timer.
"""

from dataclasses import dataclass

from backtest.replay import calls
from backtest.replay.layout import ENDED, FEED_DEPTH, FEED_TRADES, NEVER, HotView
from backtest.replay.results import BacktestResult
from backtest.replay.run import Backtest
from backtest.replay.waiting import wait


@dataclass(frozen=True, slots=True)
class TradeSeen:
    """A trade of the market as received: the aggressor's side (1 or -1), ticks, lots and both times."""

    side: int
    price_ticks: int
    lots: int
    exchange_ns: int
    local_ns: int


@dataclass(frozen=True, slots=True)
class OrderUpdate:
    """An answer about an order: `kind` is an `OutputKind` of the matching or a constant of `layout`.

    `lots`, `price_ticks` and `maker` are those of a fill. `order` is 0 and `amount` the money where it is funding.
    """

    order: int
    kind: int
    reason: int
    price_ticks: int
    lots: int
    remaining_lots: int
    maker: bool
    exchange_ns: int
    local_ns: int
    amount: float


class Account:
    """What a Python strategy acts on: `calls` with the view given, so every one of them is there as a method."""

    def __init__(self, view: HotView) -> None:
        self.view = view

    @property
    def now_ns(self) -> int:
        """Return the strategy's time."""
        return int(self.view.clock[0]["now_ns"])

    def best_bid(self, asset: int = 0) -> int:
        """Return the best bid in ticks, 0 where there is none."""
        return calls.best_bid(self.view.address, asset)

    def best_ask(self, asset: int = 0) -> int:
        """Return the best ask in ticks, 0 where there is none."""
        return calls.best_ask(self.view.address, asset)

    def position_lots(self, asset: int = 0, position_side: int = calls.BOTH) -> int:
        """Return a position as known here, negative where short."""
        return calls.position_lots(self.view.address, asset, position_side)

    def equity(self, asset: int = 0) -> float:
        """Return what an instrument has earned so far, in its settlement asset."""
        return calls.equity(self.view.address, asset)

    def submit(
        self, asset: int, side: int, lots: int, price_ticks: int = 0, order_type: int = calls.LIMIT,
        time_in_force: int = calls.GTC, position_side: int = calls.BOTH, reduce_only: bool = False,
        good_till_ns: int = 0,
    ) -> int:
        """Send an order and return its number; see `calls.submit`."""
        return calls.submit(
            self.view.address, asset, side, order_type, time_in_force, price_ticks, lots, position_side,
            int(reduce_only), good_till_ns)

    def cancel(self, order: int) -> bool:
        """Ask for an order's end; tell whether that was sent."""
        return calls.cancel(self.view.address, order)

    def amend(self, order: int, price_ticks: int, lots: int) -> bool:
        """Ask for another price and quantity; tell whether that was sent."""
        return calls.amend(self.view.address, order, price_ticks, lots)

    def is_open(self, order: int) -> bool:
        """Tell whether an order may still work, as far as is known here."""
        return calls.is_open(self.view.address, order)

    def can_cancel(self, order: int) -> bool:
        """Tell whether an order works and no request for it is on its way."""
        return calls.can_cancel(self.view.address, order)

    def order_price(self, order: int) -> int:
        """Return an order's price in ticks."""
        return calls.order_price(self.view.address, order)

    def lots_at(self, asset: int, side: int, price_ticks: int) -> int:
        """Return the displayed lots of a price."""
        return calls.lots_at(self.view.address, asset, side, price_ticks)

    def imbalance(self, asset: int, levels: int) -> float:
        """Return (bids - asks) / (bids + asks) of the best levels' lots."""
        return calls.imbalance(self.view.address, asset, levels)


class PythonStrategy:
    """What a strategy may define. `timer_ns` is the time between timers, 0 for none."""

    timer_ns: int = 0

    def on_book(self, account: Account, asset: int) -> None:
        """Rows of an instrument's book were received at this moment."""

    def on_trade(self, account: Account, asset: int, trade: TradeSeen) -> None:
        """A trade was received."""

    def on_order(self, account: Account, asset: int, update: OrderUpdate) -> None:
        """An answer about an order was received."""

    def on_timer(self, account: Account) -> None:
        """The timer's time has come."""


def run_strategy(backtest: Backtest, strategy: PythonStrategy) -> BacktestResult:
    """Run a Python strategy over a backtest. Raises `InputError` where the run had to stop."""
    view, account = backtest.view, Account(backtest.view)
    feed = (FEED_DEPTH if _defines(strategy, "on_book") else 0) | (FEED_TRADES if _defines(strategy, "on_trade") else 0)
    answers = -1 if _defines(strategy, "on_order") else 0
    timer_ns = account.now_ns + strategy.timer_ns if strategy.timer_ns else NEVER
    ended = False
    while not ended:
        ended = wait(view.address, timer_ns, feed, answers) == ENDED
        if backtest.view.clock[0]["problem"]:
            break
        _tell(view, account, strategy, feed, bool(answers))
        if not ended and account.now_ns >= timer_ns:
            strategy.on_timer(account)
            timer_ns += strategy.timer_ns
    return backtest.result()


def _defines(strategy: PythonStrategy, name: str) -> bool:
    return getattr(type(strategy), name) is not getattr(PythonStrategy, name)


def _tell(view: HotView, account: Account, strategy: PythonStrategy, feed: int, answers: bool) -> None:
    for asset in range(len(view.assets)):
        if feed & FEED_DEPTH and view.assets[asset]["depth_changes"]:
            strategy.on_book(account, asset)
    for asset in range(len(view.assets)):
        for number in range(int(view.assets[asset]["trades"]) if feed & FEED_TRADES else 0):
            strategy.on_trade(account, asset, TradeSeen(*calls.trade(view.address, asset, number)))
    for message in view.updates[: int(view.clock[0]["updates"])].tolist() if answers else []:
        _answer(view, account, strategy, message)


def _answer(view: HotView, account: Account, strategy: PythonStrategy, message: tuple[float, ...]) -> None:
    arrival_ns, exchange_ns, kind, order, reason, ticks, lots, remaining, maker, amount = message
    update = OrderUpdate(
        int(order), int(kind), int(reason), int(ticks), int(lots), int(remaining), bool(maker), int(exchange_ns),
        int(arrival_ns), float(amount))
    strategy.on_order(account, int(view.orders[int(order)]["asset"]) if order else -1, update)

"""What the exchange can be asked, without changing anything."""

from collections.abc import Callable, Mapping, Sequence

from backtest.account import FeeRates
from backtest.exchange.core import queries
from backtest.exchange.core.context import Context
from backtest.exchange.core.domain import (
    AccountTrade,
    AlgoOrder,
    Amendment,
    ExchangeOrder,
    Listing,
    Product,
    UserEvent,
)
from backtest.exchange.core.errors import refuse
from backtest.exchange.core.floor import Floor
from backtest.exchange.core.market_view import MarketView
from backtest.exchange.core.payloads import Payload
from backtest.exchange.core.trader import AccountView, MarginChange
from dataflows.codecs import binance
from dataflows.tapes.frames import Frame


class Asking:
    """The questions of an exchange: its markets, its accounts, their orders. `Exchange` is made of it."""

    def __init__(self, context: Context, floor: Floor) -> None:
        self._context = context
        self._floor = floor

    @property
    def now_ns(self) -> int:
        """Return the exchange's time in nanoseconds."""
        return self._context.now_ns

    @property
    def listings(self) -> Mapping[str, Listing]:
        """Return what is traded, by symbol."""
        return self._context.listings

    @property
    def user_events(self) -> list[Callable[[UserEvent], None]]:
        """Return the listeners to user events; append to it."""
        return self._context.listeners

    @property
    def public_events(self) -> list[Callable[[str, Payload], None]]:
        """Return the listeners to what the exchange itself adds to a symbol's market (`forceOrder`); append to it."""
        return self._context.public_listeners

    def market(self, symbol: str) -> MarketView:
        """Return a symbol's market. Raises `ExchangeError` -1121."""
        return self._context.market(symbol)

    def symbol_of(self, frame: Frame) -> str | None:
        """Return the listed symbol that a frame is about, None where it is about none."""
        symbol = binance.symbol_of(frame.payload, frame.symbol_hint)
        return symbol if symbol in self._context.markets else None

    def accounts(self) -> Sequence[str]:
        """Return the names of all accounts."""
        return sorted(self._floor.traders)

    def account_state(self, account: str, product: Product) -> AccountView:
        """Return an account's money in a product at present marks. Raises `ExchangeError` -2015."""
        return self._floor.trader(account).view(product)

    def leverage(self, account: str, symbol: str) -> int:
        """Return the leverage of a symbol."""
        self._context.market(symbol)
        return self._floor.trader(account).money.settings_of(symbol).leverage

    def isolated(self, account: str, symbol: str) -> bool:
        """Tell whether a symbol's positions have margins of their own."""
        self._context.market(symbol)
        return self._floor.trader(account).money.settings_of(symbol).isolated

    def fee_rates(self, account: str, symbol: str) -> FeeRates:
        """Return the rates that a fill of a symbol would pay now."""
        venue = self._context.market(symbol).listing.instrument.venue
        return self._floor.trader(account).money.fee_rates(venue, self._context.now_ms)

    def hedge_mode(self, account: str) -> bool:
        """Tell whether an account is in hedge mode."""
        return self._floor.trader(account).money.hedge_mode

    def multi_assets(self, account: str) -> bool:
        """Tell whether an account is in multi-assets mode."""
        return self._floor.trader(account).multi_assets

    def order(self, account: str, symbol: str, order_id: int | None, client_order_id: str | None) -> ExchangeOrder:
        """Return an order that is remembered. Raises `ExchangeError` -2013."""
        return queries.find_order(self._floor.desk(account, symbol), order_id, client_order_id, -2013)

    def open_order(
        self, account: str, symbol: str, order_id: int | None, client_order_id: str | None,
    ) -> ExchangeOrder:
        """Return an open order. Raises `ExchangeError` -2013."""
        return queries.find_open(self._floor.desk(account, symbol), order_id, client_order_id, -2013)

    def open_orders(
        self, account: str, product: Product | None = None, symbol: str | None = None,
    ) -> Sequence[ExchangeOrder]:
        """Return open orders by symbol and id."""
        self._known(account, symbol)
        return [order for desk, _ in self._floor.desks(account, product, symbol)
                for _, order in sorted(desk.history.open.items())]

    def all_orders(
        self, account: str, product: Product | None = None, symbol: str | None = None, order_id: int | None = None,
        start_ms: int | None = None, end_ms: int | None = None, limit: int = 500,
    ) -> Sequence[ExchangeOrder]:
        """Return remembered orders, oldest first: from an id on, else the newest."""
        self._known(account, symbol)
        desks = [desk for desk, _ in self._floor.desks(account, product, symbol)]
        found = queries.orders_between(desks, order_id, start_ms, end_ms)
        return queries.page(found, limit, newest=order_id is None)

    def trades(
        self, account: str, product: Product | None = None, symbol: str | None = None, order_id: int | None = None,
        from_id: int | None = None, start_ms: int | None = None, end_ms: int | None = None, limit: int = 500,
    ) -> Sequence[AccountTrade]:
        """Return the account's trades, oldest first, the oldest ones of the window."""
        self._known(account, symbol)
        desks = [desk for desk, _ in self._floor.desks(account, product, symbol)]
        found = queries.trades_between(desks, order_id, from_id, start_ms, end_ms)
        return queries.page(found, limit, newest=False)

    def amendments(
        self, account: str, symbol: str, order_id: int | None, client_order_id: str | None,
        start_ms: int | None = None, end_ms: int | None = None, limit: int = 50,
    ) -> Sequence[Amendment]:
        """Return the changes of an order, newest first."""
        desk = self._floor.desk(account, symbol)
        order = queries.find_order(desk, order_id, client_order_id, -2013)
        found = [row for row in desk.history.amendments if row.order_id == order.order_id
                 and (start_ms is None or row.time_ms >= start_ms) and (end_ms is None or row.time_ms <= end_ms)]
        return found[::-1][:limit]

    def margin_changes(
        self, account: str, symbol: str, start_ms: int | None = None, end_ms: int | None = None, limit: int = 500,
    ) -> Sequence[MarginChange]:
        """Return what the account added to or took from isolated positions of a symbol, newest first."""
        self._known(account, symbol)
        found = [row for row in self._floor.trader(account).margin_changes if row.symbol == symbol
                 and (start_ms is None or row.time_ms >= start_ms) and (end_ms is None or row.time_ms <= end_ms)]
        return found[::-1][:limit]

    def open_algo_orders(
        self, account: str, product: Product | None = None, symbol: str | None = None,
    ) -> Sequence[AlgoOrder]:
        """Return the conditional orders that wait, by symbol and id."""
        self._known(account, symbol)
        return [algo for _, desk in self._floor.desks(account, product, symbol) for algo in desk if algo.open]

    def all_algo_orders(
        self, account: str, symbol: str, algo_id: int | None = None, start_ms: int | None = None,
        end_ms: int | None = None, limit: int = 500,
    ) -> Sequence[AlgoOrder]:
        """Return remembered conditional orders, oldest first: from an id on, else the newest."""
        found = [algo for algo in self._floor.conditional(account, symbol)
                 if (algo_id is None or algo.algo_id >= algo_id) and (start_ms is None or algo.time_ms >= start_ms)
                 and (end_ms is None or algo.time_ms <= end_ms)]
        return queries.page(found, limit, newest=algo_id is None)

    def _known(self, account: str, symbol: str | None) -> None:
        self._floor.trader(account)
        if symbol is not None and symbol not in self._context.markets:
            raise refuse(-1121)

"""An exchange with a market in a few words: a book of BTCUSDT and BTCUSD_PERP around 100, accounts, what they heard."""

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from backtest.exchange.core import Exchange, ExchangeError, ExchangeOrder, OrderTicket, Product, UserEvent
from backtest.exchange.core.exchange import ExchangeSettings
from backtest.exchange.core.listings import flat_fees, listings_of
from dataflows.tapes.frames import Frame
from sluice.instruments import InstrumentCatalog
from sluice.orders import OrderType, PositionSide, Side, TimeInForce

D = Decimal
BUY, SELL = Side.BUY, Side.SELL
GTC, IOC, FOK, GTX, GTD = (
    TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK, TimeInForce.GTX, TimeInForce.GTD)
LIMIT, MARKET = OrderType.LIMIT, OrderType.MARKET
START_MS = 1_700_000_000_000
BIDS = [("1000.0", "2"), ("999.9", "5"), ("999.8", "5"), ("999.7", "5"), ("999.6", "9")]
ASKS = [("1000.1", "2"), ("1000.2", "5"), ("1000.3", "5"), ("1000.4", "5"), ("1000.5", "9")]
Pairs = Sequence[tuple[str, str]]


class World:
    """Drives an exchange by hand; every call of a market method is a millisecond later than the one before."""

    def __init__(self, balance: str = "100000", accounts: Sequence[str] = ("ann",), insurance: str = "0") -> None:
        fund = {Product.USDM: {"USDT": D(insurance)}} if D(insurance) else {}
        self.exchange = Exchange(
            listings_of(InstrumentCatalog.shipped()),
            ExchangeSettings(fees=flat_fees(D("0.0002"), D("0.0005")), insurance=fund))
        self.events: list[UserEvent] = []
        self.exchange.user_events.append(self.events.append)
        self.ms = START_MS
        self.ids = 10
        self.sequence = 0
        self.frames: list[Frame] = []
        for account in accounts:
            self.exchange.open_account(
                account, {Product.USDM: {"USDT": D(balance)}, Product.COINM: {"BTC": D(balance) / 1000}})
        self.open_books()

    def open_books(self) -> None:
        for symbol in ("BTCUSDT", "BTCUSD_PERP"):
            self.snapshot(BIDS, ASKS, symbol)
            self.depth(symbol=symbol)
        self.mark("1000.05")
        self.mark("1000.05", symbol="BTCUSD_PERP")
        self.events.clear()

    # Market

    def feed(self, frame: dict[str, Any]) -> None:
        self.sequence += 1
        payload = json.dumps(frame, separators=(",", ":")).encode()
        made = Frame(self.sequence, self.ms * 1_000_000, payload, str(frame.get("symbol", "")))
        self.frames.append(made)
        self.exchange.on_frame(made)
        self.ms += 1

    def snapshot(self, bids: Pairs, asks: Pairs, symbol: str = "BTCUSDT") -> None:
        self.feed({"lastUpdateId": self.ids, "E": self.ms, "T": self.ms, "symbol": symbol,
                   "bids": [list(level) for level in bids], "asks": [list(level) for level in asks]})

    def depth(self, bids: Pairs = (), asks: Pairs = (), symbol: str = "BTCUSDT") -> None:
        previous, self.ids = self.ids, self.ids + 3
        self.feed({"e": "depthUpdate", "E": self.ms, "T": self.ms, "s": symbol, "U": previous, "u": self.ids,
                   "pu": previous, "b": [list(level) for level in bids], "a": [list(level) for level in asks]})
        if symbol == "BTCUSDT":
            self.feed({"e": "depthUpdate", "E": self.ms, "T": self.ms, "s": "BTCUSD_PERP", "U": previous,
                       "u": self.ids, "pu": previous, "b": [], "a": []})
        else:
            self.feed({"e": "depthUpdate", "E": self.ms, "T": self.ms, "s": "BTCUSDT", "U": previous, "u": self.ids,
                       "pu": previous, "b": [], "a": []})

    def move_book(self, bids: Pairs, asks: Pairs) -> None:
        """Take the first levels away and name others."""
        gone = [[(price, "0") for price, _ in side] for side in (BIDS, ASKS)]
        self.depth([*bids, *gone[0]], [*asks, *gone[1]])

    def trade(self, price: str, quantity: str = "1", *, sold: bool = False, symbol: str = "BTCUSDT") -> None:
        self.feed({"e": "trade", "E": self.ms, "T": self.ms, "s": symbol, "t": self.sequence, "p": price, "q": quantity,
                   "X": "MARKET", "m": sold})

    def mark(self, price: str, *, rate: str = "0.0001", next_ms: int = 0, symbol: str = "BTCUSDT") -> None:
        self.feed({"e": "markPriceUpdate", "E": self.ms, "s": symbol, "p": price, "i": price, "P": price, "r": rate,
                   "T": next_ms})

    def wait(self, milliseconds: int) -> None:
        self.ms += milliseconds
        self.exchange.advance_to(self.ms * 1_000_000)

    # Orders

    def place(self, side: Side, quantity: str, price: str | None = None, **more: Any) -> ExchangeOrder:
        return self.exchange.place(more.pop("account", "ann"), ticket(side, quantity, price, **more))

    def refusal(self, side: Side, quantity: str | None, price: str | None = None, **more: Any) -> int:
        try:
            self.exchange.place(more.pop("account", "ann"), ticket(side, quantity, price, **more))
        except ExchangeError as error:
            return error.code
        return 0

    def order(self, order: ExchangeOrder) -> ExchangeOrder:
        return self.exchange.order(order.account, order.symbol, order.order_id, None)

    # What was heard

    def heard(self, kind: str = "ORDER_TRADE_UPDATE") -> list[dict[str, Any]]:
        return [dict(event.payload) for event in self.events if event.kind == kind]

    def steps(self) -> list[tuple[str, str]]:
        """Return (execution type, status) of every order event."""
        return [(event["o"]["x"], event["o"]["X"]) for event in self.heard()]

    def wallet(self, account: str = "ann", product: Product = Product.USDM) -> Decimal:
        (pool,) = self.exchange.account_state(account, product).pools
        return pool.wallet_balance

    def position(
        self, account: str = "ann", side: PositionSide = PositionSide.BOTH, symbol: str = "BTCUSDT",
    ) -> Decimal:
        product = self.exchange.listings[symbol].product
        return self.exchange.account_state(account, product).row(symbol, side).held.quantity


def ticket(side: Side, quantity: str | None, price: str | None = None, **more: Any) -> OrderTicket:
    """Return a limit order (GTC) where a price is given, else a market order."""
    fields: dict[str, Any] = {
        "symbol": "BTCUSDT", "type": MARKET if price is None else LIMIT,
        "time_in_force": None if price is None else GTC,
    }
    fields |= {
        "quantity": None if quantity is None else D(quantity), "price": None if price is None else D(price), **more}
    return OrderTicket(side=side, **fields)

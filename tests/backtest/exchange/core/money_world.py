"""A small exchange whose market a test moves by hand, and whose user events it reads: for the flow of money."""

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from backtest.account import FeeRates, Income
from backtest.exchange.core.domain import ExchangeOrder, OrderTicket, Product, UserEvent
from backtest.exchange.core.exchange import Exchange, ExchangeSettings
from backtest.exchange.core.listings import listings_of
from dataflows.tapes.frames import Frame
from sluice.decimals import ZERO
from sluice.instruments import InstrumentCatalog, Venue
from sluice.orders import OrderType, PositionSide, Side, TimeInForce

D = Decimal
START_MS = 1_767_571_200_000
HOUR_MS = 3_600_000
SYMBOLS = ("BTCUSDT", "ETHUSDT", "BTCUSD_PERP")
PRODUCT_OF = {"BTCUSDT": Product.USDM, "ETHUSDT": Product.USDM, "BTCUSD_PERP": Product.COINM}
ASSET_OF = {Product.USDM: "USDT", Product.COINM: "BTC"}
POOL_OF = {Product.USDM: (Venue.BINANCE_USDM, "USDT"), Product.COINM: (Venue.BINANCE_COINM, "BTC")}
FEES = {venue: FeeRates(D("0.0002"), D("0.0005")) for venue in (Venue.BINANCE_USDM, Venue.BINANCE_COINM)}


class World:
    """An exchange with three symbols. Prices are moved by `move`; time passes by a millisecond a frame."""

    def __init__(self, *, fund: str = "1000000") -> None:
        chosen = [i for i in InstrumentCatalog.shipped() if i.symbol in SYMBOLS]
        insurance = {Product.USDM: {"USDT": D(fund)}, Product.COINM: {"BTC": D(fund)}}
        self.exchange = Exchange(listings_of(chosen), ExchangeSettings(fees=FEES, insurance=insurance))
        self.events: list[UserEvent] = []
        self.exchange.user_events.append(self.events.append)
        self.now_ms = START_MS
        self._shown: dict[str, tuple[list[list[str]], list[list[str]]]] = {}
        self._update_ids: dict[str, int] = {}
        self.exchange.advance_to(START_MS * 1_000_000)

    # The market

    def frame(self, symbol: str, body: dict[str, Any]) -> None:
        """Play a frame a millisecond later."""
        self.now_ms += 1
        payload = json.dumps(body, separators=(",", ":")).encode()
        self.exchange.on_frame(Frame(
            self.exchange.frames_played + 1, self.now_ms * 1_000_000, payload, symbol))

    def book(self, symbol: str, bids: Sequence[tuple[object, object]], asks: Sequence[tuple[object, object]]) -> None:
        """Replace the whole book."""
        new = ([[str(p), str(q)] for p, q in bids], [[str(p), str(q)] for p, q in asks])
        last = self._update_ids.get(symbol, 0)
        if last == 0:
            self.frame(symbol, {"lastUpdateId": 100, "E": self.now_ms, "T": self.now_ms, "symbol": symbol,
                                "bids": new[0], "asks": new[1]})
            first, last = 90, 99
        else:
            first = last + 2
        levels = [[[p, "0"] for p, _ in old if p not in {q for q, _ in now}] + now
                  for old, now in zip(self._shown.get(symbol, ([], [])), new, strict=True)]
        self._shown[symbol] = new
        self._update_ids[symbol] = first + 20
        self.frame(symbol, {"e": "depthUpdate", "E": self.now_ms, "T": self.now_ms, "s": symbol, "U": first,
                            "u": first + 20, "pu": last, "b": levels[0], "a": levels[1]})

    def mark(self, symbol: str, price: object, *, rate: str = "0.0001",
             funding_ms: int = START_MS + 8 * HOUR_MS) -> None:
        """Tell a mark price."""
        self.frame(symbol, {"e": "markPriceUpdate", "E": self.now_ms, "s": symbol, "p": str(price), "i": str(price),
                            "P": str(price), "r": rate, "T": funding_ms})

    def move(self, symbol: str, price: object, quantity: object = 1000) -> None:
        """Let the market stand at a price: one deep level a tick from it on each side, and the mark on it."""
        tick = self.exchange.listings[symbol].instrument.tick_size
        middle = D(str(price))
        self.book(symbol, [(middle - tick, quantity)], [(middle + tick, quantity)])
        self.mark(symbol, middle)

    def trade(self, symbol: str, price: object, quantity: object, *, buyer_is_maker: bool) -> None:
        """Print a recorded trade."""
        self.frame(symbol, {"e": "trade", "E": self.now_ms, "T": self.now_ms, "s": symbol, "t": self.now_ms,
                            "p": str(price), "q": str(quantity), "X": "MARKET", "m": buyer_is_maker})

    # Accounts

    def open(self, name: str, *, usdt: str = "0", btc: str = "0") -> None:
        """Open an account."""
        balances: Mapping[Product, Mapping[str, Decimal]] = {
            Product.USDM: {"USDT": D(usdt)}, Product.COINM: {"BTC": D(btc)}}
        self.exchange.open_account(name, {p: a for p, a in balances.items() if any(a.values())})

    def market_order(self, name: str, side: Side, quantity: object, symbol: str = "BTCUSDT", *,
                     position_side: PositionSide | None = None, reduce_only: bool | None = None) -> ExchangeOrder:
        """Place a market order."""
        return self.exchange.place(name, OrderTicket(
            symbol, side, OrderType.MARKET, D(str(quantity)), position_side=position_side, reduce_only=reduce_only))

    def limit_order(self, name: str, side: Side, quantity: object, price: object, symbol: str = "BTCUSDT", *,
                    position_side: PositionSide | None = None) -> ExchangeOrder:
        """Place a limit order, good till cancelled."""
        return self.exchange.place(name, OrderTicket(
            symbol, side, OrderType.LIMIT, D(str(quantity)), D(str(price)), TimeInForce.GTC,
            position_side=position_side))

    def wallet(self, name: str, product: Product = Product.USDM) -> Decimal:
        """Return the wallet balance of a product's asset."""
        pools = self.exchange.account_state(name, product).pools
        return sum((figures.wallet_balance for figures in pools), ZERO)

    def margin_balance(self, name: str, product: Product = Product.USDM) -> Decimal:
        """Return wallet balance and unrealised profit."""
        pools = self.exchange.account_state(name, product).pools
        return sum((figures.margin_balance for figures in pools), ZERO)

    def quantity(self, name: str, symbol: str = "BTCUSDT", side: PositionSide = PositionSide.BOTH) -> Decimal:
        """Return a position's signed quantity."""
        return self.exchange.account_state(name, PRODUCT_OF[symbol]).account.position(symbol, side).quantity

    def matched_quantity(self, name: str, symbol: str) -> Decimal:
        """Return the one-way position that the matching kernels go by."""
        matching = self.exchange._floor.desk(name, symbol).active
        return ZERO if matching is None else matching.position(PositionSide.BOTH)

    def fund(self, product: Product = Product.USDM) -> Decimal:
        """Return the insurance fund's wallet."""
        return self.exchange._settlement.fund.wallet_balance(POOL_OF[product])

    def fund_rows(self) -> Sequence[Income]:
        """Return the insurance fund's income rows."""
        return self.exchange._settlement.fund.income

    def told(self, name: str, kind: str) -> list[dict[str, Any]]:
        """Return an account's events of a kind."""
        return [dict(event.payload) for event in self.events if event.account == name and event.kind == kind]

    def fills(self, name: str) -> list[dict[str, Any]]:
        """Return the bodies of order events that tell a fill."""
        return [payload["o"] for payload in self.told(name, "ORDER_TRADE_UPDATE") if D(payload["o"]["l"])]

    def rows(self, name: str, product: Product = Product.USDM) -> Sequence[Income]:
        """Return income rows."""
        return self.exchange.income(name, product)

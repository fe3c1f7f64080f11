"""Builders of the matching tests: a book in plain dictionaries, orders with defaults, and a market in a few words."""

from collections.abc import Iterator
from decimal import Decimal
from itertools import count

from execution.domain import OrderRequest
from execution.venues.interface import VenueEvent, VenueEventKind, VenueFill
from sluice.decimals import ZERO
from sluice.instruments import InstrumentCatalog
from sluice.orders import OrderType, SelfTradePrevention, Side, TimeInForce
from tests.backtest.matching.reference.engine import FeeRates, MatchingEngine, Trade
from tests.backtest.matching.reference.liquidity import everything

D = Decimal
BTCUSDT = InstrumentCatalog.shipped().require("BINANCE_USDM:BTCUSDT")
BTCUSD_PERP = InstrumentCatalog.shipped().require("BINANCE_COINM:BTCUSD_PERP")
FEES = FeeRates(D("0.0002"), D("0.0005"))

_ids = count(1)


class PlainBook:
    """A displayed book as the tests say it."""

    def __init__(self) -> None:
        self.sides: dict[Side, dict[Decimal, Decimal]] = {Side.BUY: {}, Side.SELL: {}}
        self.synced = True

    def quantity_at(self, side: Side, price: Decimal) -> Decimal:
        return self.sides[side].get(price, ZERO)

    def levels(self, side: Side) -> Iterator[tuple[Decimal, Decimal]]:
        yield from sorted(self.sides[side].items(), reverse=side is Side.BUY)


def an_order(
    side: Side = Side.BUY,
    quantity: str | Decimal = "1",
    price: str | Decimal | None = "100.0",
    time_in_force: TimeInForce = TimeInForce.GTC,
    *,
    reduce_only: bool = False,
    good_till_time_ns: int = 0,
    self_trade_prevention: SelfTradePrevention = SelfTradePrevention.NONE,
    client_order_id: str = "",
) -> OrderRequest:
    return OrderRequest(
        client_order_id=client_order_id or f"order-{next(_ids)}",
        instrument=BTCUSDT,
        side=side,
        type=OrderType.MARKET if price is None else OrderType.LIMIT,
        time_in_force=time_in_force,
        quantity=D(quantity),
        price=None if price is None else D(price),
        reduce_only=reduce_only,
        good_till_time_ns=good_till_time_ns,
        self_trade_prevention=self_trade_prevention,
    )


class Market:
    """An engine with its book: says what the tape says, one step a nanosecond."""

    def __init__(self, bids: dict[str, str] | None = None, asks: dict[str, str] | None = None) -> None:
        self.book = PlainBook()
        self.engine = MatchingEngine(BTCUSDT, self.book, FEES)
        self.now_ns = 0
        self.transaction_time = 0
        self.events: list[VenueEvent] = []
        self.snapshot(bids or {"100.0": "5"}, asks or {"100.1": "5"})

    def step(self) -> int:
        self.now_ns += 1
        return self.now_ns

    def snapshot(self, bids: dict[str, str], asks: dict[str, str]) -> list[VenueEvent]:
        self.book.sides = {
            Side.BUY: {D(price): D(quantity) for price, quantity in bids.items()},
            Side.SELL: {D(price): D(quantity) for price, quantity in asks.items()},
        }
        self.transaction_time += 1
        return self.keep(self.engine.on_book(everything, self.transaction_time, self.step()))

    def update(self, side: Side, price: str | Decimal, quantity: str | Decimal) -> list[VenueEvent]:
        named = (side, D(price))
        if D(quantity):
            self.book.sides[side][D(price)] = D(quantity)
        else:
            self.book.sides[side].pop(D(price), None)
        self.transaction_time += 1
        touched = lambda book_side, level: (book_side, level) == named  # noqa: E731  # as short as it is
        return self.keep(self.engine.on_book(touched, self.transaction_time, self.step()))

    def trade(self, aggressor: Side, price: str | Decimal, quantity: str | Decimal) -> list[VenueEvent]:
        self.transaction_time += 1
        trade = Trade(D(price), D(quantity), aggressor, self.transaction_time)
        return self.keep(self.engine.on_trade(trade, self.step()))

    def submit(self, request: OrderRequest) -> list[VenueEvent]:
        return self.keep(self.engine.submit(request, self.step()))

    def cancel(self, client_order_id: str) -> list[VenueEvent]:
        return self.keep(self.engine.cancel(client_order_id, self.step()))

    def keep(self, events: list[VenueEvent]) -> list[VenueEvent]:
        self.events += events
        return events


def kinds(events: list[VenueEvent]) -> list[str]:
    return [event.kind.name for event in events]


def fills(events: list[VenueEvent]) -> list[VenueFill]:
    return [event.fill for event in events if event.kind is VenueEventKind.FILL and event.fill]


def trades(events: list[VenueEvent]) -> list[tuple[str, str]]:
    """Return (price, quantity) of each fill as text."""
    return [(str(fill.price), str(fill.quantity)) for fill in fills(events)]

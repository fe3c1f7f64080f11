"""Events of Binance futures as they are named on the wire, each field under a name that says what it is.

Only what is read is declared; unknown fields are ignored. Numbers on the wire are decimal strings or JSON numbers.
Whole numbers are bounded to 62 bits, so that every one fits a kernel's integer. What the venue does not say is 0 for
an id or a time, and NaN for a price or a rate.
"""

import math
from typing import Annotated

import msgspec
from msgspec import Meta, Raw, field

from dataflows.codecs.levels import Levels

UpdateId = Annotated[int, Meta(ge=0, le=2**62)]
TradeId = UpdateId
Milliseconds = UpdateId
#: A number that the venue leaves empty where there is none, such as the funding rate of a delivery contract.
_Optional = float | str | None


def _number(value: _Optional) -> float:
    """Return an optional number, NaN where there is none that is finite."""
    try:
        number = math.nan if value is None else float(value)
    except ValueError:
        return math.nan
    return number if math.isfinite(number) else math.nan


class BookTicker(msgspec.Struct, tag_field="e", tag="bookTicker", gc=False):
    """The best prices, sent at every change of them."""

    symbol: str = field(name="s")
    update_id: UpdateId = field(name="u")
    best_bid: float = field(name="b")
    best_bid_quantity: float = field(name="B")
    best_ask: float = field(name="a")
    best_ask_quantity: float = field(name="A")
    transaction_time_ms: Milliseconds = field(name="T", default=0)
    event_time_ms: Milliseconds = field(name="E", default=0)


class Trade(msgspec.Struct, tag_field="e", tag="trade", gc=False):
    """One trade. Only `MARKET` is a print of the order book; insurance fund and auto-deleveraging are not."""

    symbol: str = field(name="s")
    price: float = field(name="p")
    quantity: float = field(name="q")
    buyer_is_maker: bool = field(name="m")
    execution: str = field(name="X", default="MARKET")
    trade_id: TradeId = field(name="t", default=0)
    transaction_time_ms: Milliseconds = field(name="T", default=0)
    event_time_ms: Milliseconds = field(name="E", default=0)


class AggregateTrade(msgspec.Struct, tag_field="e", tag="aggTrade", gc=False):
    """All fills of one taker's order at one price."""

    symbol: str = field(name="s")
    price: float = field(name="p")
    quantity: float = field(name="q")
    buyer_is_maker: bool = field(name="m")
    aggregate_id: TradeId = field(name="a", default=0)
    first_trade_id: TradeId = field(name="f", default=0)
    last_trade_id: TradeId = field(name="l", default=0)
    transaction_time_ms: Milliseconds = field(name="T", default=0)
    event_time_ms: Milliseconds = field(name="E", default=0)


class MarkPrice(msgspec.Struct, tag_field="e", tag="markPriceUpdate", gc=False):
    """The venue's mark price, and what funding goes by. A contract without funding has neither rate nor time."""

    symbol: str = field(name="s")
    price: float = field(name="p")
    index: _Optional = field(name="i", default=None)
    rate: _Optional = field(name="r", default=None)
    next_funding_time_ms: Milliseconds = field(name="T", default=0)
    event_time_ms: Milliseconds = field(name="E", default=0)

    @property
    def index_price(self) -> float:
        """Return the price of the underlying index; NaN where there is none that is positive."""
        price = _number(self.index)
        return price if price > 0.0 else math.nan

    @property
    def funding_rate(self) -> float:
        """Return the rate of the next funding, per funding interval; NaN where there is none."""
        return _number(self.rate)


class KlineBar(msgspec.Struct, gc=False):
    """The bar inside a kline event. Volume is in the base asset (USD-M) or in contracts (COIN-M)."""

    open: float = field(name="o")
    high: float = field(name="h")
    low: float = field(name="l")
    close: float = field(name="c")
    volume: float = field(name="v")


class Kline(msgspec.Struct, tag_field="e", tag="kline", gc=False):
    """The venue's own bar, not closed yet or closed."""

    symbol: str = field(name="s")
    bar: KlineBar = field(name="k")
    event_time_ms: Milliseconds = field(name="E", default=0)


class ForcedOrder(msgspec.Struct, gc=False):
    """The order inside a liquidation event. `side` is the order's: SELL closes a long position."""

    symbol: str = field(name="s")
    side: str = field(name="S")
    price: float = field(name="p")
    quantity: float = field(name="q")
    average_price: float = field(name="ap", default=math.nan)
    filled_quantity: float = field(name="z", default=math.nan)
    transaction_time_ms: Milliseconds = field(name="T", default=0)


class ForceOrder(msgspec.Struct, tag_field="e", tag="forceOrder", gc=False):
    """A liquidation."""

    order: ForcedOrder = field(name="o")
    event_time_ms: Milliseconds = field(name="E", default=0)

    @property
    def symbol(self) -> str:
        """Return the symbol of the order."""
        return self.order.symbol


class OpenInterest(msgspec.Struct, gc=False):
    """All open contracts of an instrument, in base units (USD-M) or contracts (COIN-M): an answer of REST."""

    symbol: str
    open_interest: float = field(name="openInterest")
    time_ms: Milliseconds = field(name="time", default=0)


class WireDepthUpdate(msgspec.Struct, tag_field="e", tag="depthUpdate", gc=False):
    """A difference of the book with its levels as bytes."""

    symbol: str = field(name="s")
    first_update_id: UpdateId = field(name="U")
    last_update_id: UpdateId = field(name="u")
    previous_update_id: UpdateId = field(name="pu")
    bids: Raw = field(name="b")
    asks: Raw = field(name="a")
    transaction_time_ms: Milliseconds = field(name="T", default=0)
    event_time_ms: Milliseconds = field(name="E", default=0)


class WireSnapshot(msgspec.Struct, gc=False):
    """A REST snapshot of the book with its levels as bytes. USD-M names no symbol."""

    last_update_id: UpdateId = field(name="lastUpdateId")
    bids: Raw
    asks: Raw
    symbol: str = ""
    transaction_time_ms: Milliseconds = field(name="T", default=0)
    event_time_ms: Milliseconds = field(name="E", default=0)


class DepthUpdate(msgspec.Struct, frozen=True, gc=False):
    """A difference of the book: quantities replace those of their price, 0 removes. Levels have shape (n, 2)."""

    symbol: str
    first_update_id: int
    last_update_id: int
    previous_update_id: int
    bids: Levels
    asks: Levels
    transaction_time_ms: int = 0
    event_time_ms: int = 0


class DepthSnapshot(msgspec.Struct, frozen=True, gc=False):
    """The book as of an update id. `symbol` is empty where the venue does not say it."""

    symbol: str
    last_update_id: int
    bids: Levels
    asks: Levels
    transaction_time_ms: int = 0
    event_time_ms: int = 0


#: The events of streams that are read, by their name on the wire.
EVENTS: dict[str, type] = {
    "bookTicker": BookTicker,
    "trade": Trade,
    "aggTrade": AggregateTrade,
    "markPriceUpdate": MarkPrice,
    "kline": Kline,
    "forceOrder": ForceOrder,
    "depthUpdate": WireDepthUpdate,
}

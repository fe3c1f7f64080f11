"""Events of Binance futures as they are named on the wire, each field under a name that says what it is.

Only what is read is declared; unknown fields are ignored. Numbers on the wire are decimal strings or JSON numbers.
Update and trade ids are bounded to 62 bits, so that every one fits a kernel's integer.
"""

from typing import Annotated

import msgspec
from msgspec import Meta, Raw, field

from dataflows.codecs.levels import Levels

UpdateId = Annotated[int, Meta(ge=0, le=2**62)]


class BookTicker(msgspec.Struct, tag_field="e", tag="bookTicker", gc=False):
    """The best prices, sent at every change of them."""

    symbol: str = field(name="s")
    update_id: UpdateId = field(name="u")
    best_bid: float = field(name="b")
    best_bid_quantity: float = field(name="B")
    best_ask: float = field(name="a")
    best_ask_quantity: float = field(name="A")


class Trade(msgspec.Struct, tag_field="e", tag="trade", gc=False):
    """One trade. Only `MARKET` is a print of the order book; insurance fund and auto-deleveraging are not."""

    symbol: str = field(name="s")
    price: float = field(name="p")
    quantity: float = field(name="q")
    buyer_is_maker: bool = field(name="m")
    execution: str = field(name="X", default="MARKET")


class AggregateTrade(msgspec.Struct, tag_field="e", tag="aggTrade", gc=False):
    """All fills of one taker's order at one price."""

    symbol: str = field(name="s")
    price: float = field(name="p")
    quantity: float = field(name="q")
    buyer_is_maker: bool = field(name="m")


class MarkPrice(msgspec.Struct, tag_field="e", tag="markPriceUpdate", gc=False):
    """The venue's mark price."""

    symbol: str = field(name="s")
    price: float = field(name="p")


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


class ForcedOrder(msgspec.Struct, gc=False):
    """The order inside a liquidation event."""

    symbol: str = field(name="s")
    side: str = field(name="S")
    price: float = field(name="p")
    quantity: float = field(name="q")


class ForceOrder(msgspec.Struct, tag_field="e", tag="forceOrder", gc=False):
    """A liquidation."""

    order: ForcedOrder = field(name="o")

    @property
    def symbol(self) -> str:
        """Return the symbol of the order."""
        return self.order.symbol


class WireDepthUpdate(msgspec.Struct, tag_field="e", tag="depthUpdate", gc=False):
    """A difference of the book with its levels as bytes."""

    symbol: str = field(name="s")
    first_update_id: UpdateId = field(name="U")
    last_update_id: UpdateId = field(name="u")
    previous_update_id: UpdateId = field(name="pu")
    bids: Raw = field(name="b")
    asks: Raw = field(name="a")


class WireSnapshot(msgspec.Struct, gc=False):
    """A REST snapshot of the book with its levels as bytes. USD-M names no symbol."""

    last_update_id: UpdateId = field(name="lastUpdateId")
    bids: Raw
    asks: Raw
    symbol: str = ""


class DepthUpdate(msgspec.Struct, frozen=True, gc=False):
    """A difference of the book: quantities replace those of their price, 0 removes. Levels have shape (n, 2)."""

    symbol: str
    first_update_id: int
    last_update_id: int
    previous_update_id: int
    bids: Levels
    asks: Levels


class DepthSnapshot(msgspec.Struct, frozen=True, gc=False):
    """The book as of an update id. `symbol` is empty where the venue does not say it."""

    symbol: str
    last_update_id: int
    bids: Levels
    asks: Levels


#: The events that are read, by their name on the wire.
EVENTS: dict[str, type] = {
    "bookTicker": BookTicker,
    "trade": Trade,
    "aggTrade": AggregateTrade,
    "markPriceUpdate": MarkPrice,
    "kline": Kline,
    "forceOrder": ForceOrder,
    "depthUpdate": WireDepthUpdate,
}

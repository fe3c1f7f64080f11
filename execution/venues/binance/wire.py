"""The exchange's answers as they are read here: the fields that are used, everything else is let through unread.

Numbers that are money, prices or sizes are strings on the wire and `Decimal` here. Times are milliseconds.
"""

from decimal import Decimal
from typing import Any, TypeVar

import msgspec

from execution.venues.interface import VenueOutcomeUnknown

Answer = TypeVar("Answer")


class ServerTime(msgspec.Struct, rename="camel"):
    """The answer to `time`."""

    server_time: int


class OrderAnswer(msgspec.Struct, rename="camel"):
    """An order as placing, cancelling and asking for it answer."""

    order_id: int
    client_order_id: str
    symbol: str
    status: str
    orig_qty: Decimal
    executed_qty: Decimal
    update_time: int
    time: int = 0


class ConditionalAnswer(msgspec.Struct, rename="camel"):
    """A conditional (algo) order as placing it answers."""

    algo_id: int
    client_algo_id: str
    symbol: str
    algo_status: str
    create_time: int


class TradeRow(msgspec.Struct, rename="camel"):
    """A trade of the account."""

    id: int
    order_id: int
    price: Decimal
    qty: Decimal
    commission: Decimal
    commission_asset: str
    maker: bool
    time: int


class ListenKey(msgspec.Struct, rename="camel"):
    """A user stream's key."""

    listen_key: str


class PositionMode(msgspec.Struct, rename="camel"):
    """Whether positions are kept a side (hedge mode)."""

    dual_side_position: bool


class PositionRow(msgspec.Struct, rename="camel"):
    """A position with its leverage."""

    symbol: str
    position_amt: Decimal
    leverage: str


class OpenOrderRow(msgspec.Struct, rename="camel"):
    """An order in the book, or a conditional one that waits; each has one of the two names."""

    client_order_id: str = ""
    client_algo_id: str = ""


class SymbolInformation(msgspec.Struct, rename="camel"):
    """An instrument of `exchangeInfo`. COIN-M says `contractStatus` in place of `status`."""

    symbol: str
    filters: list[dict[str, Any]]
    status: str = ""
    contract_status: str = ""
    contract_size: Decimal = Decimal(1)


class ExchangeInformation(msgspec.Struct, rename="camel"):
    """The answer to `exchangeInfo`."""

    symbols: list[SymbolInformation]




class RateLimit(msgspec.Struct, rename="camel"):
    """A count of the limits in a response of the WebSocket order API."""

    rate_limit_type: str
    interval: str
    interval_num: int
    count: int = 0


class RetryTerms(msgspec.Struct, rename="camel"):
    """When the order API may be asked again; 0 where it does not say."""

    retry_after: int = 0


class RetryError(msgspec.Struct):
    """The part of an error of the order API that says how long to wait."""

    data: RetryTerms = msgspec.field(default_factory=RetryTerms)


class ApiResponse(msgspec.Struct, rename="camel"):
    """A response of the WebSocket order API."""

    id: str | int | None
    status: int
    result: msgspec.Raw = msgspec.Raw(b"{}")
    error: msgspec.Raw = msgspec.Raw(b"{}")
    rate_limits: list[RateLimit] = []


def read(body: bytes, kind: type[Answer]) -> Answer:
    """Return an answer. Raises `VenueOutcomeUnknown` where it is none: then nobody knows what it answers."""
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise VenueOutcomeUnknown(f"the answer must be a {kind}, was not: {error}") from None

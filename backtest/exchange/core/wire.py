"""Public frames as the exchange's own market needs them: exact decimals, ids and times.

`dataflows.codecs.binance` decodes the same frames to floats, for features; here a price must come out as it went in.
Depth is read there, for both. A frame that cannot be used is None here; the market actor counts it as a dead letter.
"""

import re
from decimal import Decimal
from typing import Final, Generic, TypeVar

import msgspec
from msgspec import field

from sluice.decimals import ZERO

W = TypeVar("W")
_LARGEST: Final = Decimal(10) ** 15
_TRANSACTION_TIME: Final = re.compile(rb'"T"\s*:\s*(\d{1,16})')
_EVENT_TIME: Final = re.compile(rb'"E"\s*:\s*(\d{1,16})')
_EVENT: Final = b'"e":"'
_SPACED_EVENT: Final = re.compile(rb'"e"\s*:\s*"(\w+)"')


class TradePrint(msgspec.Struct, gc=False):
    """A single trade. Only `MARKET` is a print of the order book."""

    trade_id: int = field(name="t")
    price: Decimal = field(name="p")
    quantity: Decimal = field(name="q")
    time_ms: int = field(name="T")
    buyer_is_maker: bool = field(name="m")
    execution: str = field(name="X", default="MARKET")


class AggregatePrint(msgspec.Struct, gc=False):
    """All fills of one taker's order at one price."""

    aggregate_id: int = field(name="a")
    price: Decimal = field(name="p")
    quantity: Decimal = field(name="q")
    first_trade_id: int = field(name="f")
    last_trade_id: int = field(name="l")
    time_ms: int = field(name="T")
    buyer_is_maker: bool = field(name="m")


class MarkUpdate(msgspec.Struct, gc=False):
    """Mark, index and funding; texts are empty where the venue has no value (a delivery contract has no funding)."""

    price: Decimal = field(name="p")
    event_time_ms: int = field(name="E", default=0)
    index: str = field(name="i", default="")
    settle: str = field(name="P", default="")
    funding_rate: str = field(name="r", default="")
    next_funding_ms: int = field(name="T", default=0)


class TickerUpdate(msgspec.Struct, gc=False):
    """The best prices."""

    update_id: int = field(name="u")
    bid: Decimal = field(name="b")
    bid_quantity: Decimal = field(name="B")
    ask: Decimal = field(name="a")
    ask_quantity: Decimal = field(name="A")
    time_ms: int = field(name="T", default=0)


class _Enveloped(msgspec.Struct, Generic[W], gc=False):
    data: W


class Reader(Generic[W]):
    """Reads one kind of event, by itself or inside the combined stream's envelope."""

    def __init__(self, kind: type[W]) -> None:
        self._plain = msgspec.json.Decoder(kind)
        self._enveloped = msgspec.json.Decoder(_Enveloped[kind])  # type: ignore[valid-type]  # a type made at run time

    def read(self, payload: bytes) -> W | None:
        """Return the event, or None where the bytes are none. Raises nothing."""
        try:
            if payload.startswith(b'{"stream"'):
                found: W = self._enveloped.decode(payload).data
                return found
            return self._plain.decode(payload)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None


TRADES: Final = Reader(TradePrint)
AGGREGATES: Final = Reader(AggregatePrint)
MARKS: Final = Reader(MarkUpdate)
TICKERS: Final = Reader(TickerUpdate)


def event_name(payload: bytes) -> bytes:
    """Return the name of a frame's event without decoding it, `snapshot` where it names none."""
    start = payload.find(_EVENT)
    if start >= 0:
        return payload[start + 5 : payload.find(b'"', start + 5)]
    # The venue writes no blanks; who writes a tape by hand may.
    found = _SPACED_EVENT.search(payload)
    return found[1] if found else b"snapshot"


def transaction_time(payload: bytes) -> int:
    """Return the venue's transaction time in milliseconds, 0 where the frame names none."""
    found = _TRANSACTION_TIME.search(payload)
    return int(found[1]) if found else 0


def event_time(payload: bytes) -> int:
    """Return the venue's event time in milliseconds, 0 where the frame names none."""
    found = _EVENT_TIME.search(payload)
    return int(found[1]) if found else 0


def usable(value: Decimal) -> bool:
    """Tell whether a price or quantity is positive and of a size that arithmetic keeps exact."""
    return value.is_finite() and ZERO < value < _LARGEST


def optional(text: str) -> Decimal | None:
    """Return the number that a text states, None where it is empty or none."""
    try:
        value = Decimal(text)
    except ArithmeticError:
        return None
    return value if value.is_finite() and abs(value) < _LARGEST else None


def exact(value: float) -> Decimal:
    """Return the decimal that the venue wrote: a number of up to 15 digits survives the way through a float."""
    return Decimal(repr(value))

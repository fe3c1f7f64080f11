"""Frames of Binance USD-M and COIN-M futures: routing by symbol, and decoding to typed events.

A frame is an event by itself or inside the combined stream's envelope `{"stream", "data"}`; a bare REST answer, depth
snapshot or open interest, is one too. Fields that are not named here are ignored, so a venue may add some. What cannot
be used becomes a `Rejection` with its reason, never an exception. Values are judged here only as far as one frame can
tell; what the book makes of an update is the book's matter.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeAlias, TypeVar

import msgspec
import numpy as np

from dataflows.codecs.binance_events import (
    EVENTS,
    AggregateTrade,
    BookTicker,
    DepthSnapshot,
    DepthUpdate,
    ForceOrder,
    Kline,
    MarkPrice,
    OpenInterest,
    Trade,
    WireDepthUpdate,
    WireSnapshot,
)
from dataflows.codecs.levels import InvalidLevelError, read_levels
from dataflows.deadletters import DeadLetterReason

MarketEvent: TypeAlias = (
    BookTicker | Trade | AggregateTrade | MarkPrice | Kline | ForceOrder | OpenInterest | DepthUpdate | DepthSnapshot
)
_Wire: TypeAlias = (
    BookTicker | Trade | AggregateTrade | MarkPrice | Kline | ForceOrder | OpenInterest | WireDepthUpdate | WireSnapshot
)

W = TypeVar("W")


class _Envelope(msgspec.Struct, Generic[W], gc=False):
    """The combined stream's wrapper."""

    data: W
    stream: str = ""


_STREAM = b'{"stream":'
_OPEN_INTEREST = "openInterest"
_KEYS = {name: re.compile(rb'"' + name + rb'"\s*:\s*"([^"]*)"') for name in (b"s", b"symbol", b"e")}
#: What decoding raises; the last where the nesting is too deep.
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
#: Streams whose messages look like depth updates and are not: the best few levels whole, and the book of retail orders.
_NOT_A_DIFFERENCE = re.compile(r"@(depth(5|10|20)(@|$)|rpiDepth)")


class Rejection(msgspec.Struct, frozen=True, gc=False):
    """Why a frame is no usable event; the message reads "X must be Y, was Z"."""

    reason: DeadLetterReason
    message: str


def symbol_of(payload: bytes, hint: str = "") -> str | None:
    """Return the symbol that a frame is about without decoding it, or None where it names none.

    `hint` is the symbol for a bare USD-M snapshot, which does not say its own. Binance's field order is read by a plain
    search; a frame with blanks between its tokens costs a little more.
    """
    start = payload.find(b'"s":"')
    if start >= 0:
        return payload[start + 5 : payload.find(b'"', start + 5)].decode("ascii", "replace")
    for key in (b"s", b"symbol"):
        if found := _KEYS[key].search(payload):
            return found[1].decode("ascii", "replace")
    if hint and b'"lastUpdateId"' in payload:
        return hint
    return None


def unroutable(payload: bytes) -> Rejection:
    """Say why a frame for which `symbol_of` found nothing belongs to no instrument."""
    try:
        document = msgspec.json.decode(payload)
    except _UNREADABLE as error:
        return Rejection(DeadLetterReason.MALFORMED_JSON, f"frame must be JSON, was not: {error}")
    if isinstance(document, dict) and "lastUpdateId" in document:
        message = "a depth snapshot must be in a tape whose frames name one symbol, was in another"
        return Rejection(DeadLetterReason.UNATTRIBUTED_SNAPSHOT, message)
    data = document.get("data", document) if isinstance(document, dict) else document
    name = data.get("e") if isinstance(data, dict) else None
    if isinstance(document, dict) and _OPEN_INTEREST in document:
        name = _OPEN_INTEREST
    if isinstance(name, str) and (name in EVENTS or name == _OPEN_INTEREST):
        return Rejection(DeadLetterReason.MALFORMED_EVENT, f"a {name} event must name a symbol, named none")
    return Rejection(DeadLetterReason.UNKNOWN_EVENT, f"frame must be a known event, was {_cut(payload)}")


def decode(payload: bytes) -> MarketEvent | Rejection:
    """Decode one frame to its event, or say why there is none. Raises nothing, whatever the bytes."""
    start = payload.find(b'"e":"')
    name = payload[start + 5 : payload.find(b'"', start + 5)] if start >= 0 else _answer_in(payload)
    decoders = _DECODERS.get(name)
    if decoders is None:
        return _refused(payload)
    try:
        if payload.startswith(_STREAM):
            envelope = decoders[1].decode(payload)
            return _checked(envelope.data, envelope.stream)
        return _checked(decoders[0].decode(payload))
    except _UNREADABLE:
        return _refused(payload)


def _answer_in(payload: bytes) -> bytes:
    """Return what REST answer an event without a name is."""
    return b"openInterest" if b'"openInterest"' in payload else b"snapshot"


def _checked(event: _Wire, stream: str = "") -> MarketEvent | Rejection:
    if type(event) is WireDepthUpdate and _NOT_A_DIFFERENCE.search(stream):
        return Rejection(DeadLetterReason.UNKNOWN_EVENT, f"a depth stream must carry differences, was {stream!r:.60}")
    try:
        return _CHECKS[type(event)](event)
    except InvalidLevelError as found:
        return (_price if found.is_price else _quantity)(found.value)


def _ticker(event: BookTicker) -> MarketEvent | Rejection:
    if not (0.0 < event.best_bid < np.inf and 0.0 < event.best_ask < np.inf):
        return _price(event.best_bid if not 0.0 < event.best_bid < np.inf else event.best_ask)
    if not (0.0 <= event.best_bid_quantity < np.inf and 0.0 <= event.best_ask_quantity < np.inf):
        bid = event.best_bid_quantity
        return _quantity(event.best_ask_quantity if 0.0 <= bid < np.inf else bid)
    return event


def _trade(event: Trade | AggregateTrade) -> MarketEvent | Rejection:
    # What is no print of the book may have no price: the venue sends such rows with 0 and 0.
    priceless = isinstance(event, Trade) and event.execution != "MARKET" and event.price == 0.0
    if not (priceless or 0.0 < event.price < np.inf):
        return _price(event.price)
    return event if 0.0 <= event.quantity < np.inf else _quantity(event.quantity)


def _mark(event: MarkPrice) -> MarketEvent | Rejection:
    return event if 0.0 < event.price < np.inf else _price(event.price)


def _kline(event: Kline) -> MarketEvent | Rejection:
    bar = event.bar
    for price in (bar.open, bar.high, bar.low, bar.close):
        if not 0.0 < price < np.inf:
            return _price(price)
    return event if 0.0 <= bar.volume < np.inf else _quantity(bar.volume)


def _force_order(event: ForceOrder) -> MarketEvent | Rejection:
    if not 0.0 < event.order.price < np.inf:
        return _price(event.order.price)
    return event if 0.0 <= event.order.quantity < np.inf else _quantity(event.order.quantity)


def _open_interest(event: OpenInterest) -> MarketEvent | Rejection:
    return event if 0.0 <= event.open_interest < np.inf else _quantity(event.open_interest)


def _depth(event: WireDepthUpdate) -> MarketEvent | Rejection:
    if not event.first_update_id <= event.last_update_id:
        message = f"U must be at most u={event.last_update_id}, was {event.first_update_id}"
        return Rejection(DeadLetterReason.MALFORMED_EVENT, message)
    return DepthUpdate(
        event.symbol, event.first_update_id, event.last_update_id, event.previous_update_id,
        read_levels(event.bids), read_levels(event.asks), event.transaction_time_ms, event.event_time_ms)


def _snapshot(event: WireSnapshot) -> MarketEvent | Rejection:
    return DepthSnapshot(
        event.symbol, event.last_update_id, read_levels(event.bids), read_levels(event.asks),
        event.transaction_time_ms, event.event_time_ms)


def _price(value: float) -> Rejection:
    return Rejection(DeadLetterReason.INVALID_PRICE, f"price must be positive and finite, was {value}")


def _quantity(value: float) -> Rejection:
    message = f"quantity must be finite and not negative, was {value}"
    return Rejection(DeadLetterReason.INVALID_QUANTITY, message)


def _refused(payload: bytes) -> MarketEvent | Rejection:
    """Find out slowly what is wrong with a frame, or decode one that is only written in an unusual way."""
    try:
        document = msgspec.json.decode(payload)
    except _UNREADABLE as error:
        return Rejection(DeadLetterReason.MALFORMED_JSON, f"frame must be JSON, was not: {error}")
    data = document.get("data", document) if isinstance(document, dict) else None
    if not isinstance(data, dict):
        return Rejection(DeadLetterReason.UNKNOWN_EVENT, f"frame must be one known event, was {_cut(payload)}")
    name = data.get("e", _answer_of(data))
    decoders = _DECODERS.get(name.encode()) if isinstance(name, str) else None
    if decoders is None:
        known = ", ".join(EVENTS)
        return Rejection(DeadLetterReason.UNKNOWN_EVENT, f"event must be one of {known}, was {name!r:.60}")
    try:
        return _checked(decoders[0].decode(msgspec.json.encode(data)), str(document.get("stream", "")))
    except msgspec.DecodeError as error:
        return Rejection(DeadLetterReason.MALFORMED_EVENT, f"a {name} event must be as its venue defines it: {error}")


def _answer_of(data: Mapping[str, Any]) -> str | None:
    """Return what REST answer a document without a name is, or None."""
    if _OPEN_INTEREST in data:
        return _OPEN_INTEREST
    return "snapshot" if "lastUpdateId" in data else None


def _cut(payload: bytes) -> str:
    return repr(payload[:60])


def _decoders(kind: type[W]) -> "tuple[msgspec.json.Decoder[W], msgspec.json.Decoder[_Envelope[W]]]":
    enveloped: type[_Envelope[W]] = _Envelope[kind]  # type: ignore[valid-type]  # a type made at run time
    return msgspec.json.Decoder(kind, strict=False), msgspec.json.Decoder(enveloped, strict=False)


#: Each takes the type that it stands beside.
_CHECKS: dict[type, Callable[[Any], MarketEvent | Rejection]] = {
    BookTicker: _ticker, Trade: _trade, AggregateTrade: _trade, MarkPrice: _mark, Kline: _kline,
    ForceOrder: _force_order, OpenInterest: _open_interest, WireDepthUpdate: _depth, WireSnapshot: _snapshot,
}
_DECODERS: dict[bytes, tuple["msgspec.json.Decoder[_Wire]", "msgspec.json.Decoder[_Envelope[_Wire]]"]] = {
    name.encode(): _decoders(kind)
    for name, kind in {**EVENTS, "snapshot": WireSnapshot, _OPEN_INTEREST: OpenInterest}.items()
}

"""The few events that a compiled tape holds, decoded straight to floats.

It knows only the fields that are kept. The stream's codec, with its checks and dead letters, is `codecs`.
"""

import re
from typing import Annotated

import msgspec

Level = tuple[float, float]
Milliseconds = Annotated[int, msgspec.Meta(ge=0, lt=2**43)]


class Depth(msgspec.Struct, tag_field="e", tag="depthUpdate", gc=False):
    """A diff of the book."""

    symbol: str = msgspec.field(name="s")
    time_ms: Milliseconds = msgspec.field(name="T")
    last_id: int = msgspec.field(name="u")
    bids: list[Level] = msgspec.field(name="b")
    asks: list[Level] = msgspec.field(name="a")


class Trade(msgspec.Struct, tag_field="e", tag="trade", gc=False):
    """A trade; only `MARKET` is one of the order book."""

    symbol: str = msgspec.field(name="s")
    time_ms: Milliseconds = msgspec.field(name="T")
    price: float = msgspec.field(name="p")
    quantity: float = msgspec.field(name="q")
    buyer_is_maker: bool = msgspec.field(name="m")
    execution: str = msgspec.field(name="X", default="MARKET")


class AggregateTrade(msgspec.Struct, tag_field="e", tag="aggTrade", gc=False):
    """An aggregate trade, for tapes without single trades."""

    symbol: str = msgspec.field(name="s")
    time_ms: Milliseconds = msgspec.field(name="T")
    price: float = msgspec.field(name="p")
    quantity: float = msgspec.field(name="q")
    buyer_is_maker: bool = msgspec.field(name="m")


class Snapshot(msgspec.Struct, gc=False):
    """A REST depth snapshot; those of USD-M name no symbol."""

    last_update_id: int = msgspec.field(name="lastUpdateId")
    time_ms: Milliseconds = msgspec.field(name="T")
    bids: list[Level]
    asks: list[Level]
    symbol: str = ""


Event = Depth | Trade | AggregateTrade | Snapshot


class _Envelope(msgspec.Struct, gc=False):
    data: Depth | Trade | AggregateTrade


_KEPT = re.compile(rb'"e"\s*:\s*"(?:depthUpdate|trade|aggTrade)"')
_envelopes = msgspec.json.Decoder(_Envelope, strict=False)
_bare = msgspec.json.Decoder(Depth | Trade | AggregateTrade, strict=False)
_snapshots = msgspec.json.Decoder(Snapshot, strict=False)


def decode(payload: bytes) -> Event | None:
    """Return the event of a frame, or None for one that a compiled tape does not hold.

    Raises `msgspec.DecodeError` (`ValidationError` where it is JSON, but lacks what the event needs).
    """
    if _KEPT.search(payload, 0, 256):
        return _envelopes.decode(payload).data if b'"data"' in payload[:80] else _bare.decode(payload)
    return _snapshots.decode(payload) if b'"lastUpdateId"' in payload[:64] else None

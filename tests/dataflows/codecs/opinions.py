"""What the quick reader and the general decoder say of a frame, in one form: a kind and its values."""

import math
from collections.abc import Iterator, Sequence
from decimal import Decimal

import numpy as np

from dataflows.book.sides import to_keys
from dataflows.codecs import binance_events as events
from dataflows.codecs import quick_frame as quick
from dataflows.codecs.binance import Rejection, decode
from dataflows.codecs.binance_frames import read_frame
from dataflows.codecs.quick_frame import Text, join
from dataflows.kernels import Floats, Integers, RecordArray, kernel

Opinion = tuple[object, ...] | None


@kernel
def _read(
    buffer: Text, starts: Integers, ends: Integers, symbol: Text, tick_numerator: float, tick_denominator: float,
    frames: RecordArray, keys: Integers, quantities: Floats,
) -> int:
    """Read frames into a record each, their levels behind one another; return how many levels there are."""
    levels = 0
    for index in range(starts.size):
        frame = frames[index]
        kind = read_frame(
            buffer, starts[index], ends[index], symbol, tick_numerator, tick_denominator,
            frame, keys[levels:], quantities[levels:])
        levels += frame.bid_count + frame.ask_count if kind == quick.DEPTH_UPDATE else 0
    return levels


@kernel
def _keys(levels: Floats, numerator: float, denominator: float, sign: int, keys: Integers, quantities: Floats) -> bool:
    return to_keys(levels, numerator, denominator, sign, keys, quantities)


class Opinions:
    """Both opinions of frames of one instrument. `None` is none: the frame is declined, or no event that is watched."""

    def __init__(self, symbol: str = "BTCUSDT", tick_size: str = "0.1") -> None:
        self._symbol = symbol
        self._text = np.frombuffer(symbol.encode(), np.uint8)
        self.numerator, self.denominator = map(float, Decimal(tick_size).as_integer_ratio())

    def quick(self, payloads: Sequence[bytes]) -> list[Opinion]:
        """Return what the kernel says of frames that lie in one buffer."""
        return self.read(*join(payloads))

    def read(self, buffer: Text, starts: Integers, ends: Integers, room: int | None = None) -> list[Opinion]:
        """Return what the kernel says of the frames of a buffer; `room` is for so many levels, else enough."""
        frames = np.zeros(starts.size, quick.FRAME)
        size = buffer.size if room is None else room
        keys, quantities = np.empty(size, np.int64), np.empty(size)
        levels = _read(
            buffer, starts, ends, self._text, self.numerator, self.denominator, frames, keys, quantities)
        return list(_opinions(frames, keys[:levels], quantities[:levels]))

    def general(self, payload: bytes) -> Opinion:
        """Return what the decoder and the book say of a frame."""
        event = decode(payload)
        if isinstance(event, Rejection) or type(event) not in KINDS or event.symbol != self._symbol:
            return None
        if getattr(event, "execution", "MARKET") != "MARKET":
            return None
        kind, values = KINDS[type(event)], tuple(_plain(getattr(event, name)) for name in ATTRIBUTES[type(event)])
        if not isinstance(event, events.DepthUpdate):
            return kind, *values
        bids, asks = self._levels(event.bids, 1), self._levels(event.asks, -1)
        return (kind, *values, *bids, *asks) if bids and asks else None

    def _levels(self, levels: Floats, sign: int) -> tuple[object, ...]:
        """Return keys and quantities as the book would make them, nothing where a price is off the tick."""
        keys, quantities = np.empty(len(levels), np.int64), np.empty(len(levels))
        on_tick = _keys(levels, self.numerator, self.denominator, sign, keys, quantities)
        return (keys.tobytes(), quantities.tobytes()) if on_tick else ()


def _plain(value: object) -> object:
    """Return a truth value as a number, and NaN as something that equals itself."""
    if isinstance(value, bool):
        return int(value)
    return "nan" if isinstance(value, float) and math.isnan(value) else value


def _opinions(frames: RecordArray, keys: Integers, quantities: Floats) -> Iterator[Opinion]:
    """Yield the opinion of each frame's record."""
    rows = {kind: list(zip(*(map(_plain, frames[name].tolist()) for name in names), strict=True))
            for kind, names in FIELDS.items()}
    at = 0
    for index, kind in enumerate(frames["kind"].tolist()):
        if kind == quick.DECLINED:
            yield None
        elif kind != quick.DEPTH_UPDATE:
            yield kind, *rows[kind][index]
        else:
            middle = at + int(frames["bid_count"][index])
            end = middle + int(frames["ask_count"][index])
            yield (kind, *rows[kind][index], keys[at:middle].tobytes(), quantities[at:middle].tobytes(),
                   keys[middle:end].tobytes(), quantities[middle:end].tobytes())
            at = end


KINDS: dict[type, int] = {
    events.BookTicker: quick.BOOK_TICKER, events.Trade: quick.TRADE, events.AggregateTrade: quick.AGGREGATE_TRADE,
    events.DepthUpdate: quick.DEPTH_UPDATE, events.MarkPrice: quick.MARK_PRICE,
}
_TRADE = ("price", "quantity", "buyer_is_maker")
_TIMES = ("event_time_ms", "transaction_time_ms")
#: The fields of the record, and the attributes of the event that say the same.
FIELDS: dict[int, tuple[str, ...]] = {
    quick.BOOK_TICKER: (
        *_TIMES, "last_update_id", "best_bid", "best_bid_quantity", "best_ask", "best_ask_quantity"),
    quick.TRADE: (*_TIMES, *_TRADE, "trade_id"),
    quick.AGGREGATE_TRADE: (*_TIMES, *_TRADE, "trade_id", "first_trade_id", "last_trade_id"),
    quick.DEPTH_UPDATE: (*_TIMES, "first_update_id", "last_update_id", "previous_update_id"),
    quick.MARK_PRICE: ("event_time_ms", "mark_price", "index_price", "funding_rate", "next_funding_time_ms"),
}
ATTRIBUTES: dict[type, tuple[str, ...]] = {
    events.BookTicker: (*_TIMES, "update_id", "best_bid", "best_bid_quantity", "best_ask", "best_ask_quantity"),
    events.Trade: FIELDS[quick.TRADE],
    events.AggregateTrade: (*_TIMES, *_TRADE, "aggregate_id", "first_trade_id", "last_trade_id"),
    events.DepthUpdate: FIELDS[quick.DEPTH_UPDATE],
    events.MarkPrice: ("event_time_ms", "price", "index_price", "funding_rate", "next_funding_time_ms"),
}

"""The market actor: one instrument's frames in, a row of features at each tick of event time out.

It decodes, keeps the book by the venue's sequence rules, builds bars and rolling windows, and can be written down and
restored between any two frames with the same results to the bit. Event time is the frames' receive time. The actor
reads no clock, keeps no frames and decides nothing.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dataflows.actors import market_features, market_kernels, market_state
from dataflows.actors.market_health import BookHealth, health_of
from dataflows.actors.market_rows import BookTop, FeatureRow
from dataflows.bars import BAR_CAPACITY
from dataflows.book.state import BookResult
from dataflows.codecs import binance_events as events
from dataflows.codecs.binance import Rejection, decode
from dataflows.codecs.binance_quick import LONGEST_FRAME
from dataflows.deadletters import DeadLetter, DeadLetterReason
from dataflows.indicators.schema import MARKET_SCHEMA
from dataflows.kernels import Floats
from dataflows.tapes.frames import Frame
from sluice.errors import InvariantError
from sluice.instruments import Instrument, InstrumentCatalog

__all__ = ["BookHealth", "BookTop", "FeatureRow", "MarketActor"]

_SECOND_NS = 1_000_000_000
_APPLIED = int(BookResult.APPLIED)
_NONE, _GAP = None, DeadLetterReason.SEQUENCE_GAP
#: What becomes of a frame by what it did to the book; None is an event.
_REASONS: dict[int, tuple[DeadLetterReason, str] | None] = dict.fromkeys(map(int, BookResult), _NONE) | {
    int(BookResult.GAP): (_GAP, "pu must be the last update's u, was not: the book is stale until the next snapshot"),
    int(BookResult.SNAPSHOT_TOO_OLD): (
        _GAP, "lastUpdateId must be at least U of the first waiting update, was less: the book stays stale"),
    int(BookResult.CROSSED): (DeadLetterReason.CROSSED_BOOK, "best bid must be below best ask, was not"),
    int(BookResult.OFF_TICK): (
        DeadLetterReason.INVALID_PRICE, "price must be a multiple of the instrument's tick size, was not"),
}

#: One frame for each kernel.
_EXAMPLES = (
    b'{ "e":"bookTicker","s":"BTCUSDT","u":1,"b":"1.0","B":"1","a":"1.1","A":"1"}',
    b'{ "e":"trade","s":"BTCUSDT","p":"1.0","q":"1","m":true,"X":"MARKET"}',
    b'{"e":"bookTicker","s":"BTCUSDT","u":1,"b":"1.0","B":"1","a":"1.1","A":"1"}',
    b'{"e":"trade","s":"BTCUSDT","p":"1.0","q":"1","m":true,"X":"MARKET"}',
    b'{"e":"markPriceUpdate","s":"BTCUSDT","p":"1.0"}',
    b'{"e":"kline","s":"BTCUSDT","k":{"o":"1.0","h":"1.0","l":"1.0","c":"1.0","v":"1"}}',
    b'{"lastUpdateId":1,"bids":[["1.0","1"]],"asks":[["1.1","1"]]}',
    b'{"e":"depthUpdate","s":"BTCUSDT","U":1,"u":2,"pu":0,"b":[["1.0","2"]],"a":[]}',
    b"{",
)


class MarketActor:
    """All that is known of one instrument.

    `snapshot` is what `snapshot()` gave; the bars' length must then be the same. Raises `InputError` where it cannot be
    read.
    """

    def __init__(
        self, instrument: Instrument, snapshot: bytes | None = None, *, bar_interval_ns: int = _SECOND_NS,
    ) -> None:
        self._key, self._symbol = instrument.key, instrument.symbol
        if snapshot is None:
            self._state = market_state.new_state(instrument, bar_interval_ns)
        else:
            self._state = market_state.read(snapshot, instrument, bar_interval_ns)
        self._symbol_text = np.frombuffer(self._symbol.encode(), np.uint8)
        self._best = np.empty(market_features.TOP_SIZE)
        self._values = np.empty(len(MARKET_SCHEMA.features))
        self._valid = np.empty(len(MARKET_SCHEMA.features), np.bool_)
        self._handlers: dict[type, Callable[[int, Any], int | None]] = {
            events.BookTicker: self._on_book_ticker,
            events.Trade: self._on_trade,
            events.AggregateTrade: self._on_aggregate_trade,
            events.DepthUpdate: self._on_depth_update,
            events.DepthSnapshot: self._on_snapshot,
            events.MarkPrice: self._on_mark_price,
            events.Kline: self._on_other,
            events.ForceOrder: self._on_other,
        }

    @classmethod
    def warm(cls) -> None:
        """Compile every kernel, so that the first frame of a live stream is as fast as any other."""
        actor = cls(InstrumentCatalog.shipped().require("BINANCE_USDM:BTCUSDT"))
        for sequence, payload in enumerate(_EXAMPLES, start=1):
            actor.on_frame(Frame(sequence, sequence * _SECOND_NS, payload))
        actor.on_tick((len(_EXAMPLES) + 1) * _SECOND_NS)

    def on_frame(self, frame: Frame) -> DeadLetter | None:
        """Take in a frame. Every one is either one event (None) or one dead letter."""
        if len(frame.payload) <= LONGEST_FRAME:
            text = np.frombuffer(frame.payload, np.uint8)
            result = market_kernels.on_bytes(self._state, frame.receive_time_ns, text, self._symbol_text)
            if result == _APPLIED:
                return None
            if result != market_kernels.DECLINED:
                return self._verdict(frame, result)
        return self._decoded(frame)

    def _decoded(self, frame: Frame) -> DeadLetter | None:
        """Take in a frame by the general way."""
        event = decode(frame.payload)
        if isinstance(event, Rejection):
            return self._rejected(frame, event.reason, event.message)
        if event.symbol != self._symbol and not (event.symbol == "" and isinstance(event, events.DepthSnapshot)):
            message = f"symbol must be {self._symbol}, was {event.symbol[:40]!r}"
            return self._rejected(frame, DeadLetterReason.UNKNOWN_INSTRUMENT, message)
        return self._verdict(frame, self._handlers[type(event)](frame.receive_time_ns, event))

    def _verdict(self, frame: Frame, result: int | None) -> DeadLetter | None:
        """Say what became of a frame by what it did to the book."""
        if not result or (found := _REASONS[result]) is None:
            return None
        return self._dead_letter(frame, *found)

    def on_tick(self, tick_time_ns: int) -> FeatureRow:
        """Return the features as of a tick, from the frames so far.

        Raises `InvariantError` where a frame or tick after it has been read: features would look ahead.
        """
        state = self._state[0]
        if tick_time_ns < state["event_time_ns"]:
            raise InvariantError(f"a tick must be at or after {state['event_time_ns']}, was {tick_time_ns}")
        synced = market_features.on_tick(self._state, tick_time_ns, self._best, self._values, self._valid)
        top = BookTop(
            *_four(self._best), float(state["mark_price"]), synced, int(state["book_time_ns"]))
        return FeatureRow(
            self._key, tick_time_ns, int(state["sequence"]), MARKET_SCHEMA.hash,
            tuple(self._values.tolist()), tuple(self._valid.tolist()), top,
            int(state["events"]), int(state["dead_letters"]), health_of(self._state),
        )

    def snapshot(self) -> bytes:
        """Return the whole state: versioned, checksummed, and restored exactly by the constructor."""
        return market_state.write(self._state)

    def bars(self) -> NDArray[np.void]:
        """Return a copy of the closed bars that are remembered, the oldest first; see `dataflows.bars.BAR`."""
        closed = int(self._state["bars"]["closed"][0])
        order = np.arange(max(0, closed - BAR_CAPACITY), closed) % BAR_CAPACITY
        bars: NDArray[np.void] = self._state["bars"]["ring"][0][order]
        return bars

    def _on_book_ticker(self, time_ns: int, event: events.BookTicker) -> int:
        return market_kernels.on_book_ticker(
            self._state, time_ns, event.update_id,
            event.best_bid, event.best_bid_quantity, event.best_ask, event.best_ask_quantity)

    def _on_trade(self, time_ns: int, event: events.Trade) -> None:
        if event.execution != "MARKET":
            return market_kernels.on_other(self._state, time_ns)
        return market_kernels.on_trade(
            self._state, time_ns, event.price, event.quantity, event.buyer_is_maker, market_kernels.SINGLE_TRADES)

    def _on_aggregate_trade(self, time_ns: int, event: events.AggregateTrade) -> None:
        market_kernels.on_trade(
            self._state, time_ns, event.price, event.quantity, event.buyer_is_maker, market_kernels.AGGREGATE_TRADES)

    def _on_depth_update(self, time_ns: int, event: events.DepthUpdate) -> int:
        return market_kernels.on_depth_update(
            self._state, time_ns, event.first_update_id, event.last_update_id, event.previous_update_id,
            event.bids, event.asks)

    def _on_snapshot(self, time_ns: int, event: events.DepthSnapshot) -> int:
        return market_kernels.on_snapshot(self._state, time_ns, event.last_update_id, event.bids, event.asks)

    def _on_mark_price(self, time_ns: int, event: events.MarkPrice) -> None:
        market_kernels.on_mark_price(self._state, time_ns, event.price)

    def _on_other(self, time_ns: int, _: object) -> None:
        market_kernels.on_other(self._state, time_ns)

    def _rejected(self, frame: Frame, reason: DeadLetterReason, message: str) -> DeadLetter:
        market_kernels.count_dead_letter(self._state)
        return self._dead_letter(frame, reason, message)

    def _dead_letter(self, frame: Frame, reason: DeadLetterReason, message: str) -> DeadLetter:
        return DeadLetter(reason, message, frame.sequence, frame.receive_time_ns, frame.payload, self._key)


def _four(values: Floats) -> tuple[float, float, float, float]:
    first, second, third, fourth = values.tolist()
    return first, second, third, fourth

"""The events of one instrument in a raw tape, judged by the gates, by its sequence of updates and by its book."""

import math

from dataflows.book.order_book import OrderBook
from dataflows.book.state import BookResult, BookSide
from dataflows.codecs import binance_events as events
from dataflows.codecs.binance import MarketEvent
from dataflows.deadletters import DeadLetterReason as Reason
from dataflows.quality.gates import Gates
from dataflows.quality.recordings.csv_records import Add
from dataflows.quality.recordings.messages import Facts, told
from dataflows.tapes.frames import Frame
from sluice.clock import NS_PER_MS
from sluice.instruments import Instrument


class TapeEvents:
    """Checks the frames of one instrument. Whether a book crosses is seen where the tick size of its symbol is known.

    `add` is told a reason, the line and a sentence.
    """

    def __init__(self, add: Add, instrument: Instrument | None) -> None:
        self._add = add
        self._gates = Gates()
        self._book = OrderBook(instrument.tick_size) if instrument else None
        self._last_update_id = -1
        self._mid = math.nan
        self._received: dict[type, int] = {}

    def take(self, frame: Frame, event: MarketEvent) -> None:
        """Check a frame by its event."""
        if isinstance(event, events.DepthSnapshot):
            if self._book:
                result = self._book.apply_snapshot(event.last_update_id, event.bids, event.asks)
                self._judged(frame, result, self._book)
        elif isinstance(event, events.Trade | events.AggregateTrade):
            self._trade(frame, event)
        elif isinstance(event, events.BookTicker):
            self._ticker(frame, event)
        elif isinstance(event, events.DepthUpdate):
            self._update(frame, event)
        elif isinstance(event, events.MarkPrice):
            facts = self._facts(frame, event, event.event_time_ms, 0)
            self._tell(frame, self._gates.mark(*facts[:2]), facts)

    def end(self, line: int, time_ns: int) -> None:
        """Tell of the streams that ended before the tape did."""
        if self._gates.silence(time_ns):
            self._add(Reason.STALE_STREAM, line, "a stream must go on to the end of its tape, ended before it")

    def _tell(self, frame: Frame, bits: int, facts: Facts) -> None:
        for reason, sentence in told(bits, facts):
            self._add(reason, frame.sequence, sentence)

    def _facts(self, frame: Frame, event: object, event_time_ms: int, transaction_time_ms: int) -> Facts:
        received = frame.receive_time_ns
        since_ns = self._received.get(type(event), received)
        self._received[type(event)] = received
        return Facts(
            received, event_time_ms * NS_PER_MS, transaction_time_ms * NS_PER_MS, since_ns=since_ns)

    def _trade(self, frame: Frame, event: events.Trade | events.AggregateTrade) -> None:
        facts = self._facts(frame, event, event.event_time_ms, event.transaction_time_ms)._replace(
            event_id=event.aggregate_id if isinstance(event, events.AggregateTrade) else event.trade_id,
            price=event.price, quantity=event.quantity)
        if isinstance(event, events.Trade) and event.execution != "MARKET":
            bits = self._gates.other_trade(*facts[:4], event.quantity)
        else:
            bits = self._gates.trade(
                *facts[:6], mid=self._mid, aggregate=isinstance(event, events.AggregateTrade))
        self._tell(frame, bits, facts)

    def _ticker(self, frame: Frame, event: events.BookTicker) -> None:
        bid, ask = event.best_bid, event.best_ask
        facts = self._facts(frame, event, event.event_time_ms, event.transaction_time_ms)._replace(
            event_id=event.update_id, price=bid, ask=ask)
        self._tell(frame, self._gates.ticker(*facts[:4], bid, ask), facts)
        self._mid = (bid + ask) / 2 if bid < ask else self._mid

    def _update(self, frame: Frame, event: events.DepthUpdate) -> None:
        facts = self._facts(frame, event, event.event_time_ms, event.transaction_time_ms)
        self._tell(frame, self._gates.depth(*facts[:3]), facts)
        known, self._last_update_id = self._last_update_id, event.last_update_id
        if known >= 0 and event.previous_update_id != known:
            self._add(Reason.SEQUENCE_GAP, frame.sequence, (
                f"pu must be the last update's u ({known}), was {event.previous_update_id}"))
        if self._book:
            result = self._book.apply_update(
                event.first_update_id, event.last_update_id, event.previous_update_id, event.bids, event.asks)
            self._judged(frame, result, self._book)

    def _judged(self, frame: Frame, result: BookResult, book: OrderBook) -> None:
        if result is BookResult.OFF_TICK:
            self._add(Reason.INVALID_PRICE, frame.sequence, (
                "price must be a multiple of the instrument's tick size, was not"))
        elif result is BookResult.SNAPSHOT_TOO_OLD:
            self._add(Reason.SEQUENCE_GAP, frame.sequence, (
                "lastUpdateId must be at least U of the first waiting update, was less"))
        elif result is BookResult.CROSSED:
            bid, ask = book.levels(BookSide.BID, 1)[0][0], book.levels(BookSide.ASK, 1)[0][0]
            reason = Reason.LOCKED_BOOK if bid == ask else Reason.CROSSED_BOOK
            self._add(reason, frame.sequence, f"the best bid must be below the best ask ({ask}), was {bid}")


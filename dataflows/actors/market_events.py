"""Decoded events written into the record that kernels read, for frames that came by the general way."""

from collections.abc import Callable
from typing import Any

import numpy as np

from dataflows.actors import market_kinds as kinds
from dataflows.actors.market_frames import fill_keys
from dataflows.codecs import binance_events as events
from dataflows.codecs import quick_frame
from dataflows.codecs.quick_frame import new_frame, new_scratch
from dataflows.kernels import Floats, Integers, RecordArray


class Scratch:
    """The record and the arrays of levels of one frame; they grow with the longest frame."""

    def __init__(self) -> None:
        self.frame: RecordArray = new_frame()
        self.keys: Integers
        self.quantities: Floats
        self.keys, self.quantities = new_scratch()

    def fill(self, state: RecordArray, event: object) -> None:
        """Write an event down; `state` is the actor's, for its tick."""
        _FILL[type(event)](self, state, event)

    def set(self, kind: int, **fields: float) -> None:
        """Set the kind and the fields that it has."""
        frame = self.frame
        frame["kind"] = kind
        for name, value in fields.items():
            frame[name] = value

    def set_levels(self, state: RecordArray, kind: int, off_tick: int, bids: Floats, asks: Floats) -> None:
        """Set a kind with levels, or the other kind where a price is off the tick."""
        count = len(bids) + len(asks)
        if count > self.keys.size:
            self.keys, self.quantities = np.empty(count, np.int64), np.empty(count)
        good = fill_keys(state, bids, asks, self.keys, self.quantities)
        self.set(kind if good else off_tick, bid_count=len(bids), ask_count=len(asks))


def _ticker(scratch: Scratch, _: RecordArray, event: events.BookTicker) -> None:
    scratch.set(
        quick_frame.BOOK_TICKER, event_time_ms=event.event_time_ms, transaction_time_ms=event.transaction_time_ms,
        last_update_id=event.update_id, best_bid=event.best_bid, best_bid_quantity=event.best_bid_quantity,
        best_ask=event.best_ask, best_ask_quantity=event.best_ask_quantity)


def _trade(scratch: Scratch, _: RecordArray, event: events.Trade) -> None:
    scratch.set(
        quick_frame.TRADE if event.execution == "MARKET" else kinds.OTHER_TRADE,
        event_time_ms=event.event_time_ms, transaction_time_ms=event.transaction_time_ms, trade_id=event.trade_id,
        price=event.price, quantity=event.quantity, buyer_is_maker=event.buyer_is_maker)


def _aggregate_trade(scratch: Scratch, _: RecordArray, event: events.AggregateTrade) -> None:
    scratch.set(
        quick_frame.AGGREGATE_TRADE, event_time_ms=event.event_time_ms, transaction_time_ms=event.transaction_time_ms,
        trade_id=event.aggregate_id, first_trade_id=event.first_trade_id, last_trade_id=event.last_trade_id,
        price=event.price, quantity=event.quantity, buyer_is_maker=event.buyer_is_maker)


def _update(scratch: Scratch, state: RecordArray, event: events.DepthUpdate) -> None:
    scratch.set(
        quick_frame.DEPTH_UPDATE, event_time_ms=event.event_time_ms, transaction_time_ms=event.transaction_time_ms,
        first_update_id=event.first_update_id, last_update_id=event.last_update_id,
        previous_update_id=event.previous_update_id)
    scratch.set_levels(state, quick_frame.DEPTH_UPDATE, kinds.OFF_TICK_UPDATE, event.bids, event.asks)


def _snapshot(scratch: Scratch, state: RecordArray, event: events.DepthSnapshot) -> None:
    scratch.set(
        kinds.SNAPSHOT, last_update_id=event.last_update_id, transaction_time_ms=event.transaction_time_ms)
    scratch.set_levels(state, kinds.SNAPSHOT, kinds.OFF_TICK_SNAPSHOT, event.bids, event.asks)


def _mark(scratch: Scratch, _: RecordArray, event: events.MarkPrice) -> None:
    scratch.set(
        quick_frame.MARK_PRICE, event_time_ms=event.event_time_ms, transaction_time_ms=0, mark_price=event.price,
        index_price=event.index_price, funding_rate=event.funding_rate,
        next_funding_time_ms=event.next_funding_time_ms)


def _open_interest(scratch: Scratch, _: RecordArray, event: events.OpenInterest) -> None:
    scratch.set(kinds.OPEN_INTEREST, quantity=event.open_interest)


def _force_order(scratch: Scratch, _: RecordArray, event: events.ForceOrder) -> None:
    order = event.order
    scratch.set(
        kinds.LIQUIDATION, price=order.price, quantity=order.quantity, buyer_is_maker=order.side == "SELL")


def _other(scratch: Scratch, _state: RecordArray, _event: object) -> None:
    scratch.set(kinds.OTHER)


_FILL: dict[type, Callable[[Scratch, RecordArray, Any], None]] = {
    events.BookTicker: _ticker,
    events.Trade: _trade,
    events.AggregateTrade: _aggregate_trade,
    events.DepthUpdate: _update,
    events.DepthSnapshot: _snapshot,
    events.MarkPrice: _mark,
    events.Kline: _other,
    events.ForceOrder: _force_order,
    events.OpenInterest: _open_interest,
}

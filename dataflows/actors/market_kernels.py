"""The market actor's kernels: one call a frame, one a tick, each on the actor's whole state.

Every kernel first lets event time advance to its own: whole seconds are sampled and bars closed as they were before the
event, so that nothing looks ahead. A time before the latest one counts as the latest: time never goes back.
"""

import math

import numpy as np

from dataflows import bars
from dataflows.actors.market_health import note
from dataflows.book import sync
from dataflows.book.sides import best_key, best_quantity
from dataflows.book.state import SYNCED, BookResult
from dataflows.codecs import binance_quick
from dataflows.indicators import wilder, windows
from dataflows.indicators.microstructure import mid_price
from dataflows.kernels import Floats, Record, RecordArray, kernel

#: A best-price message leads the depth stream by at most half a second; one that the depth stream has not caught up
#: with after this long has a wrong update id and is not believed.
TICKER_LEAD_NS = 1_000_000_000

SINGLE_TRADES = 1
AGGREGATE_TRADES = 2

#: A frame that must go the general way, through the decoder.
DECLINED = -1

_APPLIED, _LOADED, _IGNORED = int(BookResult.APPLIED), int(BookResult.LOADED), int(BookResult.IGNORED)
_GAP, _TOO_OLD = int(BookResult.GAP), int(BookResult.SNAPSHOT_TOO_OLD)
_CROSSED, _OFF_TICK = int(BookResult.CROSSED), int(BookResult.OFF_TICK)
_REJOINED = int(BookResult.REJOINED)


@kernel
def top(state: Record) -> tuple[float, float, float, float]:
    """Return best bid, its quantity, best ask and its quantity: the book's, or a later message's. NaN where unknown."""
    book = state.book
    if book.status != SYNCED or book.bids.count == 0 or book.asks.count == 0:
        return math.nan, math.nan, math.nan, math.nan
    late = state.book_time_ns - state.ticker_time_ns > TICKER_LEAD_NS
    if state.ticker_update_id > book.last_update_id and not late:
        return state.ticker_bid, state.ticker_bid_quantity, state.ticker_ask, state.ticker_ask_quantity
    bid = best_key(book.bids) * book.tick_numerator / book.tick_denominator
    ask = -best_key(book.asks) * book.tick_numerator / book.tick_denominator
    return bid, best_quantity(book.bids), ask, best_quantity(book.asks)


@kernel
def advance(state: Record, time_ns: int) -> int:
    """Let event time go to `time_ns`: sample the seconds and close the bars that end by it. Returns the latest time."""
    if time_ns <= state.event_time_ns:
        return int(state.event_time_ns)
    if time_ns // windows.NANOSECONDS != state.windows.second or state.windows.started == 0:
        bid, _, ask, _ = top(state)
        windows.advance(state.windows, time_ns, mid_price(bid, ask))
    if bars.is_due(state.bars, time_ns):
        _close_bars(state, time_ns)
    state.event_time_ns = time_ns
    return time_ns


@kernel
def _close_bars(state: Record, time_ns: int) -> None:
    if bars.is_outdated(state.bars, time_ns):
        bars.restart(state.bars)
        wilder.restart(state.wilder)
    while bars.is_due(state.bars, time_ns):
        bar = state.bars.current
        wilder.add_bar(state.wilder, bar.high, bar.low, bar.close)
        bars.close_bar(state.bars)


@kernel
def on_bytes(states: RecordArray, time_ns: int, text: binance_quick.Text, symbol: binance_quick.Text) -> int:
    """Take in a frame of best prices or a trade from its bytes. Returns as `on_book_ticker`, or `DECLINED`."""
    numbers = np.empty(binance_quick.NUMBERS)
    kind, update_id, maker = binance_quick.read(text, symbol, numbers)
    if kind == binance_quick.BOOK_TICKER:
        return on_book_ticker(
            states, time_ns, update_id, numbers[binance_quick.BID], numbers[binance_quick.BID_QUANTITY],
            numbers[binance_quick.ASK], numbers[binance_quick.ASK_QUANTITY])
    if kind == binance_quick.TRADE:
        on_trade(
            states, time_ns, numbers[binance_quick.PRICE], numbers[binance_quick.QUANTITY], maker, SINGLE_TRADES)
        return _APPLIED
    return DECLINED


@kernel
def on_book_ticker(
    states: RecordArray, time_ns: int, update_id: int, bid: float, bid_quantity: float, ask: float, ask_quantity: float,
) -> int:
    """Take in a best-price message. Returns CROSSED where its bid is not below its ask, else APPLIED or IGNORED."""
    state = states[0]
    if bid >= ask:
        state.dead_letters += 1
        return _CROSSED
    time_ns = advance(state, time_ns)
    state.events += 1
    if update_id < state.ticker_update_id and time_ns - state.ticker_time_ns <= TICKER_LEAD_NS:
        return _IGNORED
    state.ticker_update_id = update_id
    state.ticker_time_ns = time_ns
    state.ticker_bid = bid
    state.ticker_bid_quantity = bid_quantity
    state.ticker_ask = ask
    state.ticker_ask_quantity = ask_quantity
    if update_id > state.book.last_update_id:
        state.book_time_ns = max(state.book_time_ns, time_ns) if state.book.status == SYNCED else state.book_time_ns
    return _APPLIED


@kernel
def on_trade(
    states: RecordArray, time_ns: int, price: float, quantity: float, buyer_is_maker: bool, stream: int,
) -> None:
    """Take in a trade. Of single and aggregate trades, which tell of the same fills, the kind seen first is read."""
    state = states[0]
    time_ns = advance(state, time_ns)
    state.events += 1
    if state.trade_stream == 0:
        state.trade_stream = stream
    if state.trade_stream != stream or quantity == 0.0:
        return
    bars.add_trade(state.bars, time_ns, price, quantity)
    windows.add_trade(state.windows, -quantity if buyer_is_maker else quantity)


@kernel
def on_mark_price(states: RecordArray, time_ns: int, price: float) -> None:
    """Take in the venue's mark price."""
    on_other(states, time_ns)
    states[0].mark_price = price


@kernel
def on_other(states: RecordArray, time_ns: int) -> None:
    """Count an event from which no feature is made."""
    state = states[0]
    advance(state, time_ns)
    state.events += 1


@kernel
def on_depth_update(
    states: RecordArray, time_ns: int, first: int, last: int, previous: int, bids: Floats, asks: Floats,
) -> int:
    """Take in a difference of the book. Returns what became of it."""
    state = states[0]
    time_ns = advance(state, time_ns)
    was_synced = state.book.status == SYNCED
    return _counted(state, time_ns, was_synced, sync.update(state.book, first, last, previous, bids, asks))


@kernel
def on_snapshot(states: RecordArray, time_ns: int, last: int, bids: Floats, asks: Floats) -> int:
    """Take in a snapshot of the book. Returns what became of it."""
    state = states[0]
    time_ns = advance(state, time_ns)
    state.health.snapshots += 1
    was_synced = state.book.status == SYNCED
    return _counted(state, time_ns, was_synced, sync.snapshot(state.book, last, bids, asks))


@kernel
def _counted(state: Record, time_ns: int, was_synced: bool, result: int) -> int:
    note(state.health, was_synced, state.book.status, result, time_ns)
    if result in (_GAP, _TOO_OLD, _CROSSED, _OFF_TICK):
        state.dead_letters += 1
        return result
    state.events += 1
    if result in (_APPLIED, _LOADED, _REJOINED):
        state.book_time_ns = time_ns
    return result


@kernel
def count_dead_letter(states: RecordArray) -> None:
    """Count a frame that did not get as far as the book."""
    states[0].dead_letters += 1



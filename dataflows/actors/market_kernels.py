"""What a market actor makes of one event: kernels on its whole state, one a kind of event.

Every kernel first lets event time advance to its own: whole seconds are sampled and bars closed as they were before the
event, so that nothing looks ahead. A time before the latest one counts as the latest: time never goes back. Frames and
rows of compiled tapes are read elsewhere (`market_frames`, `market_rows_kernels`).
"""

import math

from dataflows import bars
from dataflows.actors.market_gates import SET_ASIDE_RESULT, judge_frame, nanoseconds
from dataflows.actors.market_health import note
from dataflows.actors.market_kinds import OFF_TICK_SNAPSHOT, OFF_TICK_UPDATE, SNAPSHOT
from dataflows.book import sync
from dataflows.book.sides import best_key, best_quantity
from dataflows.book.state import SYNCED, BookResult
from dataflows.codecs.quick_frame import AGGREGATE_TRADE, BOOK_TICKER, DEPTH_UPDATE, MARK_PRICE, TRADE
from dataflows.indicators import wilder, windows
from dataflows.indicators.microstructure import mid_price
from dataflows.kernels import Floats, Integers, Record, part
from dataflows.quality.judge import is_newer
from dataflows.quality.state import DEPTH

#: A best-price message leads the depth stream by at most half a second; one that the depth stream has not caught up
#: with after this long has a wrong update id and is not believed.
TICKER_LEAD_NS = 1_000_000_000

#: The two kinds of trades tell of a fill within far less than this.
TRADES_ENDED_NS = 10_000_000_000
SINGLE_TRADES = 1
AGGREGATE_TRADES = 2

_APPLIED, _LOADED, _IGNORED = int(BookResult.APPLIED), int(BookResult.LOADED), int(BookResult.IGNORED)
_GAP, _TOO_OLD = int(BookResult.GAP), int(BookResult.SNAPSHOT_TOO_OLD)
_CROSSED, _OFF_TICK = int(BookResult.CROSSED), int(BookResult.OFF_TICK)
_REJOINED = int(BookResult.REJOINED)


@part
def fill_top(state: Record, best: Floats) -> None:
    """Fill best bid, its quantity, best ask and its quantity: the book's, or a later message's. NaN where unknown."""
    book = state.book
    if book.status != SYNCED or book.bids.count == 0 or book.asks.count == 0:
        best[:] = math.nan
        return
    late = state.book_time_ns - state.ticker_time_ns > TICKER_LEAD_NS
    if state.ticker_update_id > book.last_update_id and not late:
        best[0], best[1] = state.ticker_bid, state.ticker_bid_quantity
        best[2], best[3] = state.ticker_ask, state.ticker_ask_quantity
        return
    best[0] = best_key(book.bids) * book.tick_numerator / book.tick_denominator
    best[1] = best_quantity(book.bids)
    best[2] = -best_key(book.asks) * book.tick_numerator / book.tick_denominator
    best[3] = best_quantity(book.asks)


@part
def advance(state: Record, time_ns: int) -> int:
    """Let event time go to `time_ns`: sample the seconds and close the bars that end by it. Returns the latest time."""
    if time_ns <= state.event_time_ns:
        return int(state.event_time_ns)
    if time_ns >= state.next_second_ns:
        fill_top(state, state.best)
        windows.advance(state.windows, time_ns, mid_price(state.best[0], state.best[2]))
        state.next_second_ns = (time_ns // windows.NANOSECONDS + 1) * windows.NANOSECONDS
    if bars.is_due(state.bars, time_ns):
        _close_bars(state, time_ns)
    state.event_time_ns = time_ns
    return time_ns


@part
def _close_bars(state: Record, time_ns: int) -> None:
    if bars.is_outdated(state.bars, time_ns):
        bars.restart(state.bars)
        wilder.restart(state.wilder)
    while bars.is_due(state.bars, time_ns):
        bar = state.bars.current
        wilder.add_bar(state.wilder, bar.high, bar.low, bar.close)
        bars.close_bar(state.bars)


@part
def apply(state: Record, time_ns: int, frame: Record, keys: Integers, quantities: Floats) -> int:
    """Take in a frame that has been read. Returns a `BookResult`, or what a gate said; see `is_refused`."""
    kind, newest_ns = frame.kind, state.quality.streams[DEPTH].newest_time_ns
    if kind in (TRADE, AGGREGATE_TRADE):
        fill_top(state, state.best)
    found = judge_frame(state.quality, time_ns, frame, state.best[0], state.best[2])
    if found != 0:
        state.dead_letters += 1
        return found
    if kind == BOOK_TICKER:
        return take_best(
            state, time_ns, frame.last_update_id,
            frame.best_bid, frame.best_bid_quantity, frame.best_ask, frame.best_ask_quantity)
    if kind in (TRADE, AGGREGATE_TRADE):
        stream = SINGLE_TRADES if kind == TRADE else AGGREGATE_TRADES
        return take_trade(state, time_ns, frame.price, frame.quantity, frame.buyer_is_maker != 0, stream)
    if kind in (DEPTH_UPDATE, OFF_TICK_UPDATE, SNAPSHOT, OFF_TICK_SNAPSHOT):
        return _take_levels(state, time_ns, frame, keys, quantities, newest_ns)
    time_ns = advance(state, time_ns)
    state.events += 1
    if kind == MARK_PRICE:
        state.mark_price = frame.mark_price
    return _APPLIED


@part
def is_refused(result: int) -> bool:
    """Tell whether a frame of this result is a dead letter."""
    return result >= SET_ASIDE_RESULT or result in (_GAP, _TOO_OLD, _CROSSED, _OFF_TICK)


@part
def take_best(
    state: Record, time_ns: int, update_id: int, bid: float, bid_quantity: float, ask: float, ask_quantity: float,
) -> int:
    """Take in a best-price message. Returns CROSSED where its bid is not below its ask, else APPLIED or IGNORED."""
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


@part
def take_trade(
    state: Record, time_ns: int, price: float, quantity: float, buyer_is_maker: bool, stream: int,
) -> int:
    """Take in a trade. Of single and aggregate trades, which tell of the same fills, the kind seen first is read.

    Where that kind has ended, which is told by the other one going on without it, the other is read from then on.
    Returns IGNORED for one of the kind that is not read or without a quantity, else APPLIED.
    """
    time_ns = advance(state, time_ns)
    state.events += 1
    if state.trade_stream == 0 or _has_ended(state, time_ns, stream):
        state.trade_stream = stream
    if state.trade_stream == stream:
        state.other_trades_since_ns = 0
    if state.trade_stream != stream or quantity == 0.0:
        return _IGNORED
    bars.add_trade(state.bars, time_ns, price, quantity)
    windows.add_trade(state.windows, -quantity if buyer_is_maker else quantity)
    return _APPLIED


@part
def _has_ended(state: Record, time_ns: int, stream: int) -> bool:
    """Tell whether the kind of trades that is read has brought nothing for long while the other kind has."""
    if state.trade_stream == stream:
        return False
    if state.other_trades_since_ns == 0:
        state.other_trades_since_ns = time_ns
    return bool(time_ns - state.other_trades_since_ns > TRADES_ENDED_NS)


@part
def _take_levels(
    state: Record, time_ns: int, frame: Record, keys: Integers, quantities: Floats, newest_ns: int,
) -> int:
    """Take in a difference or a snapshot of the book; `newest_ns` is the latest time of the differences before it.

    A difference that is newer than all before it and has an older id says that the venue counts anew: without that, a
    book would wait for ever for its old numbers to be reached.
    """
    anew = is_newer(newest_ns, time_ns, nanoseconds(frame.transaction_time_ms))
    time_ns = advance(state, time_ns)
    was_synced = state.book.status == SYNCED
    bids, end, last = frame.bid_count, frame.bid_count + frame.ask_count, frame.last_update_id
    result = _OFF_TICK
    if frame.kind == DEPTH_UPDATE:
        result = sync.update_keys(
            state.book, frame.first_update_id, last, frame.previous_update_id,
            keys[:bids], quantities[:bids], keys[bids:end], quantities[bids:end])
        if result == _IGNORED and anew:
            result = sync.begin_anew(
                state.book, frame.first_update_id, last, frame.previous_update_id,
                keys[:bids], quantities[:bids], keys[bids:end], quantities[bids:end])
    elif frame.kind != OFF_TICK_UPDATE:
        state.health.snapshots += 1
        if frame.kind == SNAPSHOT:
            result = sync.snapshot_keys(
                state.book, last, keys[:bids], quantities[:bids], keys[bids:end], quantities[bids:end])
    return _counted(state, time_ns, was_synced, result)


@part
def _counted(state: Record, time_ns: int, was_synced: bool, result: int) -> int:
    note(state.health, was_synced, state.book.status, result, time_ns)
    if is_refused(result):
        state.dead_letters += 1
        return result
    state.events += 1
    if result in (_APPLIED, _LOADED, _REJOINED):
        state.book_time_ns = time_ns
    return result

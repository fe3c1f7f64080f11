"""The exchange's side of a backtest: rows by the exchange's time, requests as they arrive, dates and funding.

It knows nothing of the strategy's side but the messages that travel between them, so either may run ahead to a time
that no message can undo. At one and the same time come rows first, then dates, then funding, then requests.
"""

import math

from backtest.kernels import kernel
from backtest.matching import kernel as matching
from backtest.matching.ladder import clear_range
from backtest.matching.resting import next_expiry_ns
from backtest.matching.state import EXPIRIES, MatchingState, OutputKind
from backtest.replay.layout import (
    AMEND_REFUSED,
    CANCEL_REFUSED,
    FULL_MATCHING,
    FUNDING,
    NEVER,
    REQUEST_CANCEL,
    REQUEST_NEW,
    HotView,
)
from backtest.replay.messages import next_response, request_time, response_time
from backtest.replay.pointers import rows_at
from dataflows.kernels import Record, RecordArray
from dataflows.tapes.rows import (
    BUY_EVENT,
    DEPTH_CLEAR_EVENT,
    DEPTH_EVENT,
    DEPTH_SNAPSHOT_EVENT,
    EXCH_EVENT,
    SELL_EVENT,
    TRADE_EVENT,
)

_REJECTED = int(OutputKind.REJECTED)
_KIND = 0xFF


@kernel
def matching_of(view: HotView, asset: int) -> MatchingState:
    """Return the matching of one instrument, borrowed: the view must outlive it."""
    every = view.matching
    return matching.borrowed(MatchingState(
        every.core[asset], every.bids[asset], every.asks[asset], every.orders[asset], every.order_index[asset],
        every.entries[asset], every.outputs[asset], every.market_orders[asset], every.market_index[asset]))


@kernel
def next_exchange_time(view: HotView, asset: int) -> int:
    """Return when something happens next at the exchange, `NEVER` where nothing will; it may be a row of no concern."""
    of = view.assets[asset]
    found = min(request_time(view, asset), _timer(view, matching_of(view, asset), of))
    if of.exchange_at < of.rows:
        found = min(found, rows_at(of.rows_address, of.rows)[of.exchange_at].exch_ts)
    return found


@kernel
def run_exchange(view: HotView, asset: int, until_ns: int, yields: bool) -> int:
    """Let the exchange go on up to and including a time; return how far it went.

    Where it `yields`, it goes no further than the arrival of an answer that it sends.
    """
    of, state = view.assets[asset], matching_of(view, asset)
    rows = rows_at(of.rows_address, of.rows)
    while view.clock[0].problem == 0:
        if yields:
            until_ns = min(until_ns, response_time(view, asset))
        stop = min(until_ns, request_time(view, asset), _timer(view, state, of))
        if _play(state, of, rows, stop):
            _publish(view, state, asset)
        elif not _act(view, state, asset, stop):
            break
    return until_ns


@kernel
def _timer(view: HotView, state: MatchingState, of: Record) -> int:
    due = NEVER
    if of.funding_at < of.funding_end:
        due = int(view.funding[of.funding_at].time_ns)
    if state.core[0].counts[EXPIRIES] > 0:
        due = min(due, next_expiry_ns(state))
    return due


@kernel
def _play(state: MatchingState, of: Record, rows: RecordArray, stop_ns: int) -> bool:
    """Apply rows up to and including a time, or until something happened to an order; tell whether that was so."""
    at, count = of.exchange_at, rows.size
    per_price, per_quantity = of.ticks_per_price, of.lots_per_quantity
    while at < count:
        row = rows[at]
        flags = int(row.ev)
        if flags & EXCH_EVENT == 0:
            at += 1
            continue
        time_ns = int(row.exch_ts)
        if time_ns > stop_ns:
            break
        at += 1
        kind = flags & _KIND
        ticks, lots = int(row.px * per_price + 0.5), int(row.qty * per_quantity + 0.5)
        if kind == TRADE_EVENT:
            side = 1 if flags & BUY_EVENT else -1
            matching.on_trade(state, side, ticks, lots, time_ns, time_ns)
        elif kind in (DEPTH_EVENT, DEPTH_SNAPSHOT_EVENT):
            matching.apply_level(state, 1 if flags & BUY_EVENT else -1, ticks, lots)
            if _batch_ends(rows, at, time_ns):
                matching.end_of_batch(state, time_ns, time_ns)
        elif kind == DEPTH_CLEAR_EVENT:
            _clear(state, flags, ticks)
            if _batch_ends(rows, at, time_ns):
                matching.end_of_batch(state, time_ns, time_ns)
        if state.core[0].outputs > 0:
            break
    of.exchange_at = at
    return bool(state.core[0].outputs > 0)


@kernel
def _batch_ends(rows: RecordArray, at: int, time_ns: int) -> bool:
    """Tell whether the row at an index belongs to no batch of the book of this time."""
    while at < rows.size:
        flags = int(rows[at].ev)
        if flags & EXCH_EVENT:
            kind = flags & _KIND
            return rows[at].exch_ts != time_ns or kind == TRADE_EVENT
        at += 1
    return True


@kernel
def _clear(state: MatchingState, flags: int, ticks: int) -> None:
    if flags & BUY_EVENT:
        clear_range(state, 1, ticks, NEVER)
    elif flags & SELL_EVENT:
        clear_range(state, -1, 1, ticks)
    else:
        matching.clear_book(state)


@kernel
def _act(view: HotView, state: MatchingState, asset: int, now_ns: int) -> bool:
    """Do what is due now besides rows; tell whether there was anything."""
    of = view.assets[asset]
    if state.core[0].counts[EXPIRIES] > 0 and next_expiry_ns(state) <= now_ns:
        matching.expire_until(state, now_ns)
    elif of.funding_at < of.funding_end and view.funding[of.funding_at].time_ns <= now_ns:
        _settle(view, state, asset)
    elif request_time(view, asset) <= now_ns:
        _take_request(view, state, asset, now_ns)
    else:
        return False
    _publish(view, state, asset)
    return True


@kernel
def _take_request(view: HotView, state: MatchingState, asset: int, now_ns: int) -> None:
    of = view.assets[asset]
    request = view.requests[asset][of.request_head & (view.requests.shape[1] - 1)]
    of.request_head += 1
    number, kind = request.order_id, request.kind
    if kind == REQUEST_NEW:
        reason, refused = _submit(view, state, number, now_ns), _REJECTED
    elif kind == REQUEST_CANCEL:
        reason, refused = matching.cancel(state, number, now_ns), CANCEL_REFUSED
    else:
        reason, refused = matching.amend(state, number, request.price_ticks, request.lots, now_ns), AMEND_REFUSED
    if reason != 0:
        next_response(view, asset, now_ns, refused, number, reason)


@kernel
def _submit(view: HotView, state: MatchingState, number: int, now_ns: int) -> int:
    order = view.orders[number]
    return matching.submit(
        state, number, order.side, order.type, order.time_in_force, order.price_ticks, order.lots, order.position_side,
        order.prevention, order.reduce_only, order.good_till_ns, now_ns)


@kernel
def _settle(view: HotView, state: MatchingState, asset: int) -> None:
    """Settle funding on the position at the exchange: -lots * value of a lot at the mark price * rate."""
    of = view.assets[asset]
    event = view.funding[of.funding_at]
    of.funding_at += 1
    core = state.core[0]
    lots = core.position_both + core.position_long + core.position_short
    if lots == 0 or not math.isfinite(event.rate * event.mark_price):
        return
    unit = of.lot_size * of.contract_size
    value = lots * unit / event.mark_price if of.inverse else lots * unit * event.mark_price
    next_response(view, asset, event.time_ns, FUNDING, 0, 0).amount = -value * event.rate


@kernel
def _publish(view: HotView, state: MatchingState, asset: int) -> None:
    """Send what happened to orders on its way to the strategy."""
    core = state.core[0]
    for at in range(core.outputs):
        output = state.outputs[at]
        message = next_response(view, asset, output.time_ns, output.kind, output.order_id, output.reason)
        message.price_ticks = output.price_ticks
        message.lots = output.lots
        message.remaining_lots = output.remaining_lots
        message.maker = output.maker
    matching.clear_outputs(state)
    if core.lost_outputs + core.bids.lost + core.asks.lost > 0:
        view.clock[0].problem = FULL_MATCHING

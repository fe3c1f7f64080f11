"""The exchange's side of a backtest: rows by the exchange's time, requests as they arrive, dates and funding.

It knows nothing of the strategy's side but the messages that travel between them, so either may run ahead to a time
that no message can undo. At one and the same time come rows first, then dates, then funding, then requests.
"""

import math

from backtest.kernels import part
from backtest.matching import kernel as matching
from backtest.matching.ladder import clear_range
from backtest.matching.memory import core_of, length_of, output_at
from backtest.matching.resting import next_expiry_ns
from backtest.matching.state import EXPIRIES, OutputKind
from backtest.replay.entry_points import ENTRIES
from backtest.replay.layout import (
    AMEND_REFUSED,
    CANCEL_REFUSED,
    FULL_MATCHING,
    FUNDING,
    NEVER,
    REQUEST_CANCEL,
    REQUEST_NEW,
)
from backtest.replay.memory import asset_at, clock_of, funding_at, order_at, request_at, row_at
from backtest.replay.messages import next_response, request_time, response_time
from dataflows.kernels import Record
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


@ENTRIES.entry
def run_exchange(view: int, asset: int, until_ns: int, yields: int) -> int:
    """Let the exchange go on up to and including a time; return how far it went.

    Where it `yields`, it goes no further than the arrival of an answer that it sends.
    """
    of = asset_at(view, asset)
    state = of.matching
    while clock_of(view).problem == 0:
        if yields:
            until_ns = min(until_ns, response_time(view, asset))
        stop = min(until_ns, request_time(view, asset), of.timer_ns)
        if _play(state, of, stop):
            publish(view, asset)
        elif not take_due(view, asset, stop):
            break
    return until_ns


@part
def _timer(view: int, of: Record) -> int:
    due, state = NEVER, of.matching
    if of.funding_at < of.funding_end:
        due = int(funding_at(view, of.funding_at).time_ns)
    if length_of(state, EXPIRIES) > 0:
        due = min(due, next_expiry_ns(state))
    return due


@part
def _play(state: int, of: Record, stop_ns: int) -> bool:
    """Apply rows up to and including a time, or until something happened to an order; tell whether that was so."""
    at, count = of.exchange_at, of.rows
    per_price, per_quantity = of.ticks_per_price, of.lots_per_quantity
    while at < count:
        row = row_at(of, at)
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
            if _batch_ends(of, at, time_ns):
                matching.end_of_batch(state, time_ns, time_ns)
        elif kind == DEPTH_CLEAR_EVENT:
            _clear(state, flags, ticks)
            if _batch_ends(of, at, time_ns):
                matching.end_of_batch(state, time_ns, time_ns)
        if core_of(state).outputs > 0:
            break
    of.exchange_at = at
    return bool(core_of(state).outputs > 0)


@part
def _batch_ends(of: Record, at: int, time_ns: int) -> bool:
    """Tell whether the row at an index belongs to no batch of the book of this time."""
    while at < of.rows:
        row = row_at(of, at)
        flags = int(row.ev)
        if flags & EXCH_EVENT:
            kind = flags & _KIND
            return row.exch_ts != time_ns or kind == TRADE_EVENT
        at += 1
    return True


@part
def _clear(state: int, flags: int, ticks: int) -> None:
    if flags & BUY_EVENT:
        clear_range(state, 1, ticks, NEVER)
    elif flags & SELL_EVENT:
        clear_range(state, -1, 1, ticks)
    else:
        matching.clear_book(state)


@ENTRIES.entry
def take_due(view: int, asset: int, now_ns: int) -> bool:
    """Do what is due now besides rows; tell whether there was anything."""
    of = asset_at(view, asset)
    state = of.matching
    if length_of(state, EXPIRIES) > 0 and next_expiry_ns(state) <= now_ns:
        matching.expire_until(state, now_ns)
    elif of.funding_at < of.funding_end and funding_at(view, of.funding_at).time_ns <= now_ns:
        _settle(view, asset)
    elif request_time(view, asset) <= now_ns:
        _take_request(view, asset, now_ns)
    else:
        return False
    publish(view, asset)
    return True


@part
def _take_request(view: int, asset: int, now_ns: int) -> None:
    of = asset_at(view, asset)
    state = of.matching
    request = request_at(view, asset, of.request_head & (clock_of(view).messages - 1))
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


@part
def _submit(view: int, state: int, number: int, now_ns: int) -> int:
    order = order_at(view, number)
    return matching.submit(
        state, number, order.side, order.type, order.time_in_force, order.price_ticks, order.lots, order.position_side,
        order.prevention, order.reduce_only, order.good_till_ns, now_ns)


@part
def _settle(view: int, asset: int) -> None:
    """Settle funding on the position at the exchange: -lots * value of a lot at the mark price * rate."""
    of = asset_at(view, asset)
    event = funding_at(view, of.funding_at)
    of.funding_at += 1
    core = core_of(of.matching)
    lots = core.position_both + core.position_long + core.position_short
    if lots == 0 or not math.isfinite(event.rate * event.mark_price):
        return
    unit = of.lot_size * of.contract_size
    value = lots * unit / event.mark_price if of.inverse else lots * unit * event.mark_price
    next_response(view, asset, event.time_ns, FUNDING, 0, 0).amount = -value * event.rate


@ENTRIES.entry
def publish(view: int, asset: int) -> None:
    """Send what happened to orders on its way to the strategy, and look when a date is next."""
    of = asset_at(view, asset)
    state = of.matching
    core = core_of(state)
    for at in range(core.outputs):
        output = output_at(state, at)
        message = next_response(view, asset, output.time_ns, output.kind, output.order_id, output.reason)
        message.price_ticks = output.price_ticks
        message.lots = output.lots
        message.remaining_lots = output.remaining_lots
        message.maker = output.maker
    matching.clear_outputs(state)
    of.timer_ns = _timer(view, of)
    if core.lost_outputs + core.bids.lost + core.asks.lost > 0:
        clock_of(view).problem = FULL_MATCHING

"""The strategy's side of a backtest: rows and answers by the time they are received, and the account as known here."""

from backtest.kernels import inlined, part
from backtest.matching.state import OutputKind
from backtest.replay.depth import clear_asks, clear_bids, set_ask, set_bid
from backtest.replay.entry_points import ENTRIES
from backtest.replay.layout import (
    AMEND_REFUSED,
    CANCEL_REFUSED,
    CANCELED,
    EXPIRED,
    FILLED,
    FULL_FILLS,
    FULL_MESSAGES,
    FUNDING,
    NEVER,
    PARTLY_FILLED,
    REJECTED,
    REQUEST_NEW,
    WORKING,
)
from backtest.replay.memory import (
    asset_at,
    clock_of,
    fill_at,
    order_at,
    position_at,
    response_at,
    row_at,
    trade_at,
    update_at,
)
from backtest.replay.messages import response_time
from backtest.replay.money import fill_position, trade_fee, value_of
from dataflows.kernels import Record
from dataflows.tapes.rows import (
    BUY_EVENT,
    DEPTH_CLEAR_EVENT,
    DEPTH_EVENT,
    DEPTH_SNAPSHOT_EVENT,
    LOCAL_EVENT,
    SELL_EVENT,
    TRADE_EVENT,
)

_KIND = 0xFF
_ACCEPTED, _FILL, _AMENDED = int(OutputKind.ACCEPTED), int(OutputKind.FILL), int(OutputKind.AMENDED)
_CANCELED, _EXPIRED, _REJECTED = int(OutputKind.CANCELED), int(OutputKind.EXPIRED), int(OutputKind.REJECTED)


@inlined
def run_strategy_side(view: int, asset: int, until_ns: int) -> None:
    """Receive what arrives up to and including a time."""
    receive_rows(view, asset, until_ns)
    while response_time(view, asset) <= until_ns:
        receive_answer(view, asset)


@ENTRIES.entry
def receive_rows(view: int, asset: int, until_ns: int) -> None:
    """Receive rows up to and including a time."""
    of = asset_at(view, asset)
    at, count = of.local_at, of.rows
    per_price, per_quantity = of.ticks_per_price, of.lots_per_quantity
    while at < count:
        row = row_at(of, at)
        flags = int(row.ev)
        if flags & LOCAL_EVENT:
            if row.local_ts > until_ns:
                break
            kind = flags & _KIND
            if kind in (DEPTH_EVENT, DEPTH_SNAPSHOT_EVENT):
                of.depth_changes += 1
                ticks, lots = int(row.px * per_price + 0.5), int(row.qty * per_quantity + 0.5)
                if flags & BUY_EVENT:
                    set_bid(view, of, ticks, lots)
                else:
                    set_ask(view, of, ticks, lots)
            elif kind == TRADE_EVENT:
                trade_at(view, of.trades_offset + of.trades).number = at
                of.trades += 1
                of.last_trade_ticks = int(row.px * per_price + 0.5)
            elif kind == DEPTH_CLEAR_EVENT:
                of.depth_changes += 1
                clear_depth(view, asset, flags, int(row.px * per_price + 0.5))
        at += 1
    of.local_at = at


@ENTRIES.entry
def clear_depth(view: int, asset: int, flags: int, ticks: int) -> None:
    """Forget a side of the book as far as a price, or all of it."""
    of = asset_at(view, asset)
    both = flags & (BUY_EVENT | SELL_EVENT) == 0
    if both or flags & BUY_EVENT:
        clear_bids(view, of, 0 if both else ticks)
    if both or flags & SELL_EVENT:
        clear_asks(view, of, NEVER if both else ticks)


@ENTRIES.entry
def receive_answer(view: int, asset: int) -> None:
    """Take the next answer into the order it is about, and the account."""
    of = asset_at(view, asset)
    message = response_at(view, asset, of.response_head & (clock_of(view).messages - 1))
    of.response_head += 1
    if message.kind == FUNDING:
        asset_at(view, asset).funding += message.amount
    else:
        order = order_at(view, message.order_id)
        order.exchange_ns = message.exchange_ns
        order.response_ns = message.arrival_ns
        if clock_of(view).awaited == message.order_id:
            clock_of(view).awaited = -2
        _change(view, asset, order, message)
    clock = clock_of(view)
    if clock.updates == clock.update_capacity:
        clock.problem = FULL_MESSAGES
        return
    _copy(message, update_at(view, clock.updates))
    clock.updates += 1


@part
def _copy(message: Record, update: Record) -> None:
    update.arrival_ns = message.arrival_ns
    update.exchange_ns = message.exchange_ns
    update.kind = message.kind
    update.order_id = message.order_id
    update.reason = message.reason
    update.price_ticks = message.price_ticks
    update.lots = message.lots
    update.remaining_lots = message.remaining_lots
    update.maker = message.maker
    update.amount = message.amount


@part
def _change(view: int, asset: int, order: Record, message: Record) -> None:
    kind = message.kind
    if kind == _FILL:
        _fill(view, asset, order, message)
    elif kind == _ACCEPTED:
        order.status = WORKING
        if order.request == REQUEST_NEW:
            order.request = 0
    elif kind == _AMENDED:
        order.request = 0
        order.lots += message.remaining_lots - order.remaining_lots
        order.price_ticks = message.price_ticks
        order.remaining_lots = message.remaining_lots
    elif (kind in (CANCEL_REFUSED, AMEND_REFUSED)) and order.status <= PARTLY_FILLED:
        order.request = 0
        order.reason = message.reason
    elif kind == _CANCELED:
        _end(view, asset, message.order_id, CANCELED, message.reason)
    elif kind == _EXPIRED:
        _end(view, asset, message.order_id, EXPIRED, message.reason)
    elif kind == _REJECTED:
        _end(view, asset, message.order_id, REJECTED, message.reason)


@part
def _end(view: int, asset: int, number: int, status: int, reason: int) -> None:
    """Take an order that works no more out of the open ones."""
    order, of = order_at(view, number), asset_at(view, asset)
    order.status = status
    order.reason = reason
    order.request = 0
    if order.previous:
        order_at(view, order.previous).next = order.next
    else:
        of.open_first = order.next
    if order.next:
        order_at(view, order.next).previous = order.previous
    of.open_count -= 1


@part
def _fill(view: int, asset: int, order: Record, message: Record) -> None:
    of, clock = asset_at(view, asset), clock_of(view)
    if clock.fills == clock.fill_capacity:
        clock.problem = FULL_FILLS
        return
    price = message.price_ticks * of.tick_size
    fee = trade_fee(of, message.lots, price, message.maker)
    realised = fill_position(
        of, position_at(view, asset, order.position_side - 1), order.side * message.lots, price)
    of.fees += fee
    of.realised += realised
    of.fills += 1
    of.volume_lots += message.lots
    of.value += message.lots * of.lot_size * of.contract_size if of.inverse else value_of(of, message.lots, price)
    order.remaining_lots = message.remaining_lots
    order.filled_value += float(message.price_ticks) * message.lots
    order.status = PARTLY_FILLED
    if message.remaining_lots == 0:
        _end(view, asset, message.order_id, FILLED, 0)
    _note(view, asset, order, message, fee, realised)


@part
def _note(view: int, asset: int, order: Record, message: Record, fee: float, realised: float) -> None:
    fill = fill_at(view, clock_of(view).fills)
    fill.order_id = message.order_id
    fill.asset = asset
    fill.side = order.side
    fill.maker = message.maker
    fill.price_ticks = message.price_ticks
    fill.lots = message.lots
    fill.exchange_ns = message.exchange_ns
    fill.local_ns = message.arrival_ns
    fill.fee = fee
    fill.realised = realised
    clock_of(view).fills += 1

"""The strategy's side of a backtest: rows and answers by the time they are received, and the account as known here."""

from backtest.kernels import kernel
from backtest.matching.state import OutputKind
from backtest.replay.depth import clear_asks, clear_bids, set_ask, set_bid
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
    HotView,
)
from backtest.replay.messages import response_time
from backtest.replay.money import fill_position, trade_fee, value_of
from backtest.replay.pointers import rows_at
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


@kernel
def run_strategy_side(view: HotView, asset: int, until_ns: int) -> None:
    """Receive what arrives up to and including a time."""
    _receive_rows(view, view.assets[asset], until_ns)
    while response_time(view, asset) <= until_ns:
        of = view.assets[asset]
        message = view.responses[asset][of.response_head & (view.responses.shape[1] - 1)]
        of.response_head += 1
        _receive(view, asset, message)


@kernel
def _receive_rows(view: HotView, of: Record, until_ns: int) -> None:
    rows = rows_at(of.rows_address, of.rows)
    at, count = of.local_at, rows.size
    per_price, per_quantity = of.ticks_per_price, of.lots_per_quantity
    while at < count:
        row = rows[at]
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
                view.trades[of.trades_offset + of.trades] = at
                of.trades += 1
                of.last_trade_ticks = int(row.px * per_price + 0.5)
            elif kind == DEPTH_CLEAR_EVENT:
                of.depth_changes += 1
                _clear(view, of, flags, int(row.px * per_price + 0.5))
        at += 1
    of.local_at = at


@kernel
def _clear(view: HotView, of: Record, flags: int, ticks: int) -> None:
    both = flags & (BUY_EVENT | SELL_EVENT) == 0
    if both or flags & BUY_EVENT:
        clear_bids(view, of, 0 if both else ticks)
    if both or flags & SELL_EVENT:
        clear_asks(view, of, NEVER if both else ticks)


@kernel
def _receive(view: HotView, asset: int, message: Record) -> None:
    """Take one answer into the order it is about, and the account."""
    if message.kind == FUNDING:
        view.assets[asset].funding += message.amount
    else:
        order = view.orders[message.order_id]
        order.exchange_ns = message.exchange_ns
        order.response_ns = message.arrival_ns
        if view.clock[0].awaited == message.order_id:
            view.clock[0].awaited = -2
        _change(view, asset, order, message)
    clock = view.clock[0]
    if clock.updates == view.updates.size:
        clock.problem = FULL_MESSAGES
        return
    view.updates[clock.updates] = message
    clock.updates += 1


@kernel
def _change(view: HotView, asset: int, order: Record, message: Record) -> None:
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


@kernel
def _end(view: HotView, asset: int, number: int, status: int, reason: int) -> None:
    """Take an order that works no more out of the open ones."""
    order, of = view.orders[number], view.assets[asset]
    order.status = status
    order.reason = reason
    order.request = 0
    if order.previous:
        view.orders[order.previous].next = order.next
    else:
        of.open_first = order.next
    if order.next:
        view.orders[order.next].previous = order.previous
    of.open_count -= 1


@kernel
def _fill(view: HotView, asset: int, order: Record, message: Record) -> None:
    of, clock = view.assets[asset], view.clock[0]
    if clock.fills == view.fills.size:
        clock.problem = FULL_FILLS
        return
    price = message.price_ticks * of.tick_size
    fee = trade_fee(of, message.lots, price, message.maker)
    realised = fill_position(
        of, view.positions[asset, order.position_side - 1], order.side * message.lots, price)
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


@kernel
def _note(view: HotView, asset: int, order: Record, message: Record, fee: float, realised: float) -> None:
    fill = view.fills[view.clock[0].fills]
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
    view.clock[0].fills += 1

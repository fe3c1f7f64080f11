"""An order's arrival, change and cancellation: refused, or accepted, then filled as far as it goes, then at rest.

Not here: the venue's filters of form, step and notional, margin, and the texts; those are the exchange's.
"""

from backtest.kernels import kernel, part
from backtest.matching.entries import first_slot
from backtest.matching.entry_points import ENTRIES
from backtest.matching.filling import expire_idle_reducers
from backtest.matching.ladder import quantity_at
from backtest.matching.memory import core_of, entry_at, length_of, order_at
from backtest.matching.outputs import tell
from backtest.matching.slots import arrive, close_slot, end, find_order, open_slot, rest, withdraw
from backtest.matching.state import ASKS, BIDS, OutputKind, Reason
from backtest.matching.taking import crosses, take_levels, takeable
from backtest.matching.values import capacity
from dataflows.kernels import Record
from sluice.orders import OrderType, SelfTradePrevention, TimeInForce

_LIMIT, _MARKET = OrderType.LIMIT.value, OrderType.MARKET.value
_IOC, _FOK, _GTX = TimeInForce.IOC.value, TimeInForce.FOK.value, TimeInForce.GTX.value
_EXPIRE_TAKER, _EXPIRE_BOTH = SelfTradePrevention.EXPIRE_TAKER.value, SelfTradePrevention.EXPIRE_BOTH.value
_ACCEPTED, _EXPIRED = int(OutputKind.ACCEPTED), int(OutputKind.EXPIRED)
_CANCELED, _AMENDED = int(OutputKind.CANCELED), int(OutputKind.AMENDED)
_NO_BOOK, _REDUCE_ONLY, _POST_ONLY = int(Reason.NO_BOOK), int(Reason.REDUCE_ONLY), int(Reason.POST_ONLY)
_NO_COUNTERPARTY, _FILL_OR_KILL = int(Reason.NO_COUNTERPARTY), int(Reason.FILL_OR_KILL)
_TOO_HIGH, _TOO_LOW, _DUPLICATE = int(Reason.PRICE_TOO_HIGH), int(Reason.PRICE_TOO_LOW), int(Reason.DUPLICATE_ID)
_UNFILLED, _SELF_TRADE, _NO_ROOM = int(Reason.UNFILLED_REST), int(Reason.SELF_TRADE), int(Reason.NO_ROOM)
_UNKNOWN, _SAME = int(Reason.UNKNOWN_ORDER), int(Reason.SAME_ORDER)
_BAD_QUANTITY, _BAD_PRICE = int(Reason.BAD_QUANTITY), int(Reason.BAD_PRICE)


@ENTRIES.entry
def submit(
    state: int, order_id: int, side: int, order_type: int, time_in_force: int, price_ticks: int, lots: int,
    position_side: int, prevention: int, reduce_only: int, good_till_ns: int, now_ns: int,
) -> int:
    """Take a limit or market order that arrives now; return 0, or the `Reason` for which it is refused.

    A refused order leaves nothing behind and no output. `good_till_ns` is 0 for no date; `reduce_only` is 0 or 1.
    """
    if find_order(state, order_id) >= 0:
        return _DUPLICATE
    slot = open_slot(state, order_id)
    if slot < 0:
        return _NO_ROOM
    describe(
        order_at(state, slot), side, order_type, time_in_force, price_ticks, lots, position_side, prevention,
        reduce_only, good_till_ns)
    reason = refusal(state, slot)
    if reason != 0:
        close_slot(state, slot)
        return reason
    enter_book(state, slot, now_ns)
    return 0


@part
def describe(
    order: Record, side: int, order_type: int, time_in_force: int, price_ticks: int, lots: int, position_side: int,
    prevention: int, reduce_only: int, good_till_ns: int,
) -> None:
    """Write down what an order wants."""
    order.side = side
    order.type = order_type
    order.time_in_force = time_in_force
    order.price_ticks = price_ticks
    order.lots = lots
    order.remaining_lots = lots
    order.position_side = position_side
    order.prevention = prevention
    order.reduce_only = reduce_only
    order.close_position = 0
    order.good_till_ns = good_till_ns


@ENTRIES.entry
def refusal(state: int, slot: int) -> int:
    """Return why an order cannot be taken now, 0 where it can."""
    core, order = core_of(state), order_at(state, slot)
    if not core.synced:
        return _NO_BOOK
    if order.lots <= 0:
        return _BAD_QUANTITY
    if order.type != _MARKET:
        reason = _refuse_price(core, order.side, order.price_ticks)
        if reason != 0:
            return reason
    if capacity(core, order) == 0:
        return _REDUCE_ONLY
    if order.type != _MARKET and order.time_in_force == _GTX:
        return _POST_ONLY if crosses(state, order) else 0
    if order.type == _MARKET and takeable(state, slot) == 0:
        return _NO_COUNTERPARTY
    if order.time_in_force == _FOK and takeable(state, slot) < order.lots:
        return _FILL_OR_KILL
    return 0


@part
def _refuse_price(core: Record, side: int, price_ticks: int) -> int:
    if price_ticks <= 0:
        return _BAD_PRICE
    if side > 0 and price_ticks > core.highest_buy_ticks:
        return _TOO_HIGH
    if side < 0 and price_ticks < core.lowest_sell_ticks:
        return _TOO_LOW
    return 0


@ENTRIES.entry
def enter_book(state: int, slot: int, now_ns: int) -> None:
    """Accept an order, fill it as far as it goes, and let the rest wait or expire."""
    tell(state, order_at(state, slot), _ACCEPTED, 0, now_ns)
    _take_and_rest(state, slot, now_ns)


@part
def _take_and_rest(state: int, slot: int, now_ns: int) -> None:
    take_levels(state, slot, now_ns)
    order = order_at(state, slot)
    if order.remaining_lots == 0:
        close_slot(state, slot)
    elif order.type == _MARKET or order.time_in_force in (_IOC, _FOK):
        end(state, slot, _EXPIRED, _UNFILLED, now_ns)
    else:
        _rest(state, slot, now_ns)
    expire_idle_reducers(state, now_ns)


@part
def _rest(state: int, slot: int, now_ns: int) -> None:
    """Let an order rest, unless it would meet one of its own account: that one ends, or this one, or both."""
    order = order_at(state, slot)
    others, limit, prevention = ASKS if order.side > 0 else BIDS, -order.side * order.price_ticks, order.prevention
    ends = _first_key(state, others) >= limit and prevention in (_EXPIRE_TAKER, _EXPIRE_BOTH)
    if not ends:
        order.queue_ahead = quantity_at(state, order.side, order.price_ticks)
        rest(state, slot)
    while prevention != _EXPIRE_TAKER and _first_key(state, others) >= limit:
        end(state, first_slot(state, others), _EXPIRED, _SELF_TRADE, now_ns)
    if ends:
        end(state, slot, _EXPIRED, _SELF_TRADE, now_ns)


@part
def _first_key(state: int, which: int) -> int:
    count = length_of(state, which)
    return int(entry_at(state, which, count - 1).key) if count > 0 else -(2**62)


@ENTRIES.entry
def cancel(state: int, order_id: int, now_ns: int) -> int:
    """Cancel a resting or waiting order; return 0, or UNKNOWN_ORDER."""
    slot = find_order(state, order_id)
    if slot < 0:
        return _UNKNOWN
    end(state, slot, _CANCELED, 0, now_ns)
    return 0


@kernel
def cancel_all(state: int, now_ns: int) -> int:
    """Cancel every order that rests in the book, by price and arrival; return how many. Conditional ones wait on."""
    canceled = 0
    for which in (BIDS, ASKS):
        while length_of(state, which) > 0:
            end(state, first_slot(state, which), _CANCELED, 0, now_ns)
            canceled += 1
    return canceled


@ENTRIES.entry
def amend(state: int, order_id: int, price_ticks: int, lots: int, now_ns: int) -> int:
    """Give a resting order another price and quantity (with what is filled); return 0, or a `Reason`.

    It loses its place in the queue. A quantity that is filled already cancels it; so does a price at which a post-only
    order would take (it expires with POST_ONLY).
    """
    slot = find_order(state, order_id)
    if slot < 0 or not order_at(state, slot).resting:
        return _UNKNOWN
    order = order_at(state, slot)
    if price_ticks == order.price_ticks and lots == order.lots:
        return _SAME
    reason = _BAD_QUANTITY if lots <= 0 else _refuse_price(core_of(state), order.side, price_ticks)
    if reason != 0 or not core_of(state).synced:
        return reason if reason != 0 else _NO_BOOK
    _amend(state, slot, price_ticks, lots, now_ns)
    return 0


@part
def _amend(state: int, slot: int, price_ticks: int, lots: int, now_ns: int) -> None:
    order = order_at(state, slot)
    filled = order.lots - order.remaining_lots
    if lots <= filled:
        end(state, slot, _CANCELED, 0, now_ns)
        return
    withdraw(state, slot)
    order.price_ticks, order.lots, order.remaining_lots = price_ticks, lots, lots - filled
    if order.time_in_force == _GTX and crosses(state, order):
        end(state, slot, _EXPIRED, _POST_ONLY, now_ns)
        return
    arrive(core_of(state), order)
    tell(state, order, _AMENDED, 0, now_ns)
    _take_and_rest(state, slot, now_ns)

"""Where orders live: slots that are used again, the lists that a living order stands in, and its end.

Nothing here looks at finished orders, so the cost of an order does not grow with their number.
"""

from backtest.kernels import kernel
from backtest.matching.entries import delist, enlist
from backtest.matching.index import enter, forget, look_up
from backtest.matching.ladder import count_own
from backtest.matching.outputs import tell
from backtest.matching.state import ASKS, BIDS, EXPIRIES, REDUCERS, MatchingState
from dataflows.kernels import Record


@kernel
def find_order(state: MatchingState, order_id: int) -> int:
    """Return the slot of a living order in `state.orders`, or -1."""
    return look_up(state.order_index, order_id)


@kernel
def open_slot(state: MatchingState, order_id: int) -> int:
    """Return a slot for a new order, or -1 where there is no room."""
    core = state.core[0]
    if core.live >= state.orders.size:
        return -1
    if core.free > 0:
        slot = core.free - 1
        core.free = state.orders[slot].next_free
    else:
        slot = core.fresh
        core.fresh += 1
    core.live += 1
    order = state.orders[slot]
    order.order_id = order_id
    order.live = 1
    order.resting = 0
    order.list = -1
    enter(state.order_index, order_id, slot)
    arrive(core, order)
    return int(slot)


@kernel
def arrive(core: Record, order: Record) -> None:
    """Give an order the place behind everything that came before it."""
    core.sequence += 1
    order.sequence = core.sequence
    order.accepted_at = core.venue_time
    order.queue_ahead = 0.0
    order.traded_since = 0.0


@kernel
def close_slot(state: MatchingState, slot: int) -> None:
    """Let go of an order that is in no list."""
    core, order = state.core[0], state.orders[slot]
    forget(state.order_index, order.order_id)
    order.live = 0
    order.next_free = core.free
    core.free = slot + 1
    core.live -= 1


@kernel
def wait_in(state: MatchingState, slot: int, which: int, key: int) -> None:
    """Put an order into a list to wait there, and among the dates where it has one."""
    order = state.orders[slot]
    order.list = which
    order.key = key
    enlist(state, which, key, order.sequence, slot)
    if order.good_till_ns > 0:
        enlist(state, EXPIRIES, -order.good_till_ns, order.sequence, slot)


@kernel
def rest(state: MatchingState, slot: int) -> None:
    """Put an order into the book; its place in the queue is set already."""
    order = state.orders[slot]
    order.resting = 1
    wait_in(state, slot, BIDS if order.side > 0 else ASKS, order.side * order.price_ticks)
    count_own(state, order.side, order.price_ticks, 1)
    if order.reduce_only:
        enlist(state, REDUCERS, 0, order.sequence, slot)


@kernel
def withdraw(state: MatchingState, slot: int) -> None:
    """Take an order out of every list; it keeps its slot."""
    order = state.orders[slot]
    if order.list < 0:
        return
    delist(state, order.list, order.key, order.sequence)
    order.list = -1
    if order.good_till_ns > 0:
        delist(state, EXPIRIES, -order.good_till_ns, order.sequence)
    if order.resting:
        order.resting = 0
        count_own(state, order.side, order.price_ticks, -1)
        if order.reduce_only:
            delist(state, REDUCERS, 0, order.sequence)


@kernel
def end(state: MatchingState, slot: int, kind: int, reason: int, time_ns: int) -> None:
    """End an order other than by its last fill."""
    withdraw(state, slot)
    tell(state, state.orders[slot], kind, reason, time_ns)
    close_slot(state, slot)

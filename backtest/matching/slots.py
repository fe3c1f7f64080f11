"""Where orders live: slots that are used again, the lists that a living order stands in, and its end.

Nothing here looks at finished orders, so the cost of an order does not grow with their number.
"""

from backtest.kernels import kernel, part
from backtest.matching.entries import delist, enlist
from backtest.matching.entry_points import ENTRIES
from backtest.matching.index import enter, forget, look_up
from backtest.matching.ladder import count_own
from backtest.matching.memory import core_of, order_at
from backtest.matching.outputs import tell
from backtest.matching.state import ASKS, BIDS, EXPIRIES, REDUCERS
from dataflows.kernels import Record


@kernel
def find_order(state: int, order_id: int) -> int:
    """Return the slot of a living order in `state.orders`, or -1."""
    return look_up(core_of(state).order_index, order_id)


@ENTRIES.entry
def open_slot(state: int, order_id: int) -> int:
    """Return a slot for a new order, or -1 where there is no room."""
    core = core_of(state)
    if core.live >= core.order_capacity:
        return -1
    if core.free > 0:
        slot = core.free - 1
        core.free = order_at(state, slot).next_free
    else:
        slot = core.fresh
        core.fresh += 1
    core.live += 1
    order = order_at(state, slot)
    order.order_id = order_id
    order.live = 1
    order.resting = 0
    order.list = -1
    enter(core.order_index, order_id, slot)
    arrive(core, order)
    return int(slot)


@part
def arrive(core: Record, order: Record) -> None:
    """Give an order the place behind everything that came before it."""
    core.sequence += 1
    order.sequence = core.sequence
    order.accepted_at = core.venue_time
    order.queue_ahead = 0.0
    order.traded_since = 0.0


@part
def close_slot(state: int, slot: int) -> None:
    """Let go of an order that is in no list."""
    core, order = core_of(state), order_at(state, slot)
    forget(core.order_index, order.order_id)
    order.live = 0
    order.next_free = core.free
    core.free = slot + 1
    core.live -= 1


@part
def wait_in(state: int, slot: int, which: int, key: int) -> None:
    """Put an order into a list to wait there, and among the dates where it has one."""
    order = order_at(state, slot)
    order.list = which
    order.key = key
    enlist(state, which, key, order.sequence, slot)
    if order.good_till_ns > 0:
        enlist(state, EXPIRIES, -order.good_till_ns, order.sequence, slot)


@ENTRIES.entry
def rest(state: int, slot: int) -> None:
    """Put an order into the book; its place in the queue is set already."""
    order = order_at(state, slot)
    order.resting = 1
    wait_in(state, slot, BIDS if order.side > 0 else ASKS, order.side * order.price_ticks)
    count_own(state, order.side, order.price_ticks, 1)
    if order.reduce_only:
        enlist(state, REDUCERS, 0, order.sequence, slot)


@part
def withdraw(state: int, slot: int) -> None:
    """Take an order out of every list; it keeps its slot."""
    order = order_at(state, slot)
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


@ENTRIES.entry
def end(state: int, slot: int, kind: int, reason: int, time_ns: int) -> None:
    """End an order other than by its last fill."""
    withdraw(state, slot)
    tell(state, order_at(state, slot), kind, reason, time_ns)
    close_slot(state, slot)

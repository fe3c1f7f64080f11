"""A fill, and what it does to orders that may only reduce a position."""

from backtest.kernels import part
from backtest.matching.entry_points import ENTRIES
from backtest.matching.memory import core_of, entry_at, length_of, order_at
from backtest.matching.outputs import tell_fill
from backtest.matching.slots import close_slot, end, withdraw
from backtest.matching.state import REDUCERS, OutputKind, Reason
from backtest.matching.values import add_to_position, capacity, reducible

_EXPIRED, _POSITION_CLOSED = int(OutputKind.EXPIRED), int(Reason.POSITION_CLOSED)


@ENTRIES.entry
def fill(state: int, slot: int, price_ticks: int, lots: int, maker: int, now_ns: int) -> None:
    """Count a fill. A resting order that it completes is gone afterwards."""
    order = order_at(state, slot)
    order.remaining_lots -= lots
    add_to_position(core_of(state), order.position_side, order.side * lots)
    tell_fill(state, order, price_ticks, lots, maker, now_ns)
    if order.remaining_lots == 0 and order.resting:
        withdraw(state, slot)
        close_slot(state, slot)


@part
def fill_resting(state: int, slot: int, reached: int, now_ns: int) -> int:
    """Fill a resting order at its price with up to `reached` lots and return how many those were."""
    order = order_at(state, slot)
    lots = capacity(core_of(state), order)
    if core_of(state).partial_fills:
        lots = min(lots, reached)
    if lots <= 0 or reached <= 0:
        return 0
    fill(state, slot, order.price_ticks, lots, 1, now_ns)
    return lots


@ENTRIES.entry
def expire_idle_reducers(state: int, now_ns: int) -> None:
    """End the resting reduce-only orders that have no position left to reduce, by arrival."""
    core = core_of(state)
    for at in range(length_of(state, REDUCERS) - 1, -1, -1):
        slot = entry_at(state, REDUCERS, at).slot
        order = order_at(state, slot)
        if reducible(core, order.side, order.position_side) == 0:
            end(state, slot, _EXPIRED, _POSITION_CLOSED, now_ns)

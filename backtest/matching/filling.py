"""A fill, and what it does to orders that may only reduce a position."""

from backtest.kernels import kernel
from backtest.matching.outputs import tell_fill
from backtest.matching.slots import close_slot, end, withdraw
from backtest.matching.state import REDUCERS, MatchingState, OutputKind, Reason
from backtest.matching.values import add_to_position, capacity, reducible

_EXPIRED, _POSITION_CLOSED = int(OutputKind.EXPIRED), int(Reason.POSITION_CLOSED)


@kernel
def fill(state: MatchingState, slot: int, price_ticks: int, lots: int, maker: int, now_ns: int) -> None:
    """Count a fill. A resting order that it completes is gone afterwards."""
    order = state.orders[slot]
    order.remaining_lots -= lots
    add_to_position(state.core[0], order.position_side, order.side * lots)
    tell_fill(state, order, price_ticks, lots, maker, now_ns)
    if order.remaining_lots == 0 and order.resting:
        withdraw(state, slot)
        close_slot(state, slot)


@kernel
def fill_resting(state: MatchingState, slot: int, reached: int, now_ns: int) -> int:
    """Fill a resting order at its price with up to `reached` lots and return how many those were."""
    order = state.orders[slot]
    lots = capacity(state.core[0], order)
    if state.core[0].partial_fills:
        lots = min(lots, reached)
    if lots <= 0 or reached <= 0:
        return 0
    fill(state, slot, order.price_ticks, lots, 1, now_ns)
    return lots


@kernel
def expire_idle_reducers(state: MatchingState, now_ns: int) -> None:
    """End the resting reduce-only orders that have no position left to reduce, by arrival."""
    core = state.core[0]
    for at in range(core.counts[REDUCERS] - 1, -1, -1):
        slot = state.entries[REDUCERS, at].slot
        order = state.orders[slot]
        if reducible(core, order.side, order.position_side) == 0:
            end(state, slot, _EXPIRED, _POSITION_CLOSED, now_ns)

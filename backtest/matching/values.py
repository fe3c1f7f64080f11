"""The few values of a state that its owner sets: the book's soundness, price bounds, positions."""

from backtest.kernels import kernel, part
from backtest.matching.memory import core_of
from dataflows.kernels import Record
from sluice.orders import PositionSide

_LONG, _SHORT = PositionSide.LONG.value, PositionSide.SHORT.value


@kernel
def set_synced(state: int, synced: int) -> None:
    """Say whether the displayed book is whole (1) or not (0: orders are refused, and nothing fills by crossing)."""
    core_of(state).synced = synced


@kernel
def set_price_bounds(state: int, highest_buy_ticks: int, lowest_sell_ticks: int) -> None:
    """Set the worst prices that PERCENT_PRICE allows, in whole ticks on the safe side."""
    core_of(state).highest_buy_ticks = highest_buy_ticks
    core_of(state).lowest_sell_ticks = lowest_sell_ticks


@kernel
def set_position(state: int, position_side: int, lots: int) -> None:
    """Set a position in signed lots: at the start of a run, or after a liquidation elsewhere."""
    core = core_of(state)
    if position_side == _LONG:
        core.position_long = lots
    elif position_side == _SHORT:
        core.position_short = lots
    else:
        core.position_both = lots


@part
def add_to_position(core: Record, position_side: int, signed_lots: int) -> None:
    """Count a fill in its position."""
    if position_side == _LONG:
        core.position_long += signed_lots
    elif position_side == _SHORT:
        core.position_short += signed_lots
    else:
        core.position_both += signed_lots


@part
def reducible(core: Record, side: int, position_side: int) -> int:
    """Return the lots of a position that an order of a side can close."""
    if position_side == _LONG:
        return int(max(-side * core.position_long, 0))
    if position_side == _SHORT:
        return int(max(-side * core.position_short, 0))
    return int(max(-side * core.position_both, 0))


@part
def capacity(core: Record, order: Record) -> int:
    """Return how much of an order may still fill: its remaining lots, or what it can close if it only reduces.

    In hedge mode, selling LONG and buying SHORT always reduce.
    """
    hedged = (order.position_side == _LONG and order.side < 0) or (order.position_side == _SHORT and order.side > 0)
    if order.reduce_only or hedged:
        return int(min(order.remaining_lots, reducible(core, order.side, order.position_side)))
    return int(order.remaining_lots)

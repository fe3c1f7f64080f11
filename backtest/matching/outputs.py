"""What happened, written down in order until the caller has read it and clears it."""

from backtest.kernels import inlined, kernel
from backtest.matching.state import MatchingState, OutputKind
from dataflows.kernels import Record

_FILL = int(OutputKind.FILL)


@kernel
def tell(state: MatchingState, order: Record, kind: int, reason: int, time_ns: int) -> None:
    """Write down that something other than a fill happened to an order."""
    _write(state, order, kind, reason, order.price_ticks, 0, 0, time_ns)


@kernel
def tell_fill(state: MatchingState, order: Record, price_ticks: int, lots: int, maker: int, time_ns: int) -> None:
    """Write down a fill; the order's remaining lots are those after it."""
    _write(state, order, _FILL, 0, price_ticks, lots, maker, time_ns)


@kernel
def _write(
    state: MatchingState, order: Record, kind: int, reason: int, price_ticks: int, lots: int, maker: int, time_ns: int,
) -> None:
    core = state.core[0]
    if core.outputs == state.outputs.size:
        core.lost_outputs += 1
        return
    output = state.outputs[core.outputs]
    output.order_id = order.order_id
    output.kind = kind
    output.reason = reason
    output.side = order.side
    output.position_side = order.position_side
    output.price_ticks = price_ticks
    output.lots = lots
    output.remaining_lots = order.remaining_lots
    output.maker = maker
    output.time_ns = time_ns
    core.outputs += 1


@inlined
def clear_outputs(state: MatchingState) -> None:
    """Forget what the caller has read."""
    state.core[0].outputs = 0

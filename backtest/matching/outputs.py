"""What happened, written down in order until the caller has read it and clears it."""

from backtest.kernels import inlined, part
from backtest.matching.memory import core_of, output_at
from backtest.matching.state import OutputKind
from dataflows.kernels import Record

_FILL = int(OutputKind.FILL)


@inlined
def tell(state: int, order: Record, kind: int, reason: int, time_ns: int) -> None:
    """Write down that something other than a fill happened to an order."""
    _write(state, order, kind, reason, order.price_ticks, 0, 0, time_ns)


@inlined
def tell_fill(state: int, order: Record, price_ticks: int, lots: int, maker: int, time_ns: int) -> None:
    """Write down a fill; the order's remaining lots are those after it."""
    _write(state, order, _FILL, 0, price_ticks, lots, maker, time_ns)


@part
def _write(
    state: int, order: Record, kind: int, reason: int, price_ticks: int, lots: int, maker: int, time_ns: int,
) -> None:
    core = core_of(state)
    if core.outputs == core.output_capacity:
        core.lost_outputs += 1
        return
    output = output_at(state, core.outputs)
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
def clear_outputs(state: int) -> None:
    """Forget what the caller has read."""
    core_of(state).outputs = 0

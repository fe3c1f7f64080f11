"""Whether the next command or batch fits: a few counters, looked at before each."""

from backtest.kernels import kernel
from backtest.matching.memory import core_of

_SPARE_OUTPUTS = 32


@kernel
def outputs_ahead(state: int) -> int:
    """Return how many outputs there may be after the next command, most of them never written."""
    core = core_of(state)
    return int(core.outputs + 4 * core.live + core.bids.levels + core.asks.levels + _SPARE_OUTPUTS)


@kernel
def needs_room(state: int) -> bool:
    """Tell whether the next command or batch might not fit; `MatchingState.make_room` is called then.

    A table of levels is compacted when half of it is used, so the living ones must stay well below that: else each new
    level would compact it again.
    """
    core = core_of(state)
    return bool(
        core.live >= core.order_capacity
        or core.market_live >= core.market_capacity
        or 8 * (core.bids.levels + core.live) > 3 * (core.bids.mask + 1)
        or 8 * (core.asks.levels + core.live) > 3 * (core.asks.mask + 1)
        or outputs_ahead(state) > core.output_capacity)

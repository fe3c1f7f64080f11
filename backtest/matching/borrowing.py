"""A state whose arrays are not counted: what a loop over millions of events works on.

Numba counts references to every array of a state whenever a function takes it, nine atomic steps in and nine out; that
is several times what an event costs. A borrowed state has the same arrays without an owner, so nothing is counted.
Whoever borrows must hold the state itself for as long: the caller's own argument does that.
"""

from typing import Any

from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

from backtest.kernels import inlined
from backtest.matching.state import MatchingState


def _without_owner_of(_typing: Any, array: Any) -> Any:
    """Return an array's shape and place without its owner."""
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        made = make_array(signature.return_type)(context, builder, arguments[0])
        made.meminfo = cgutils.get_null_value(made.meminfo.type)
        made.parent = cgutils.get_null_value(made.parent.type)
        return made._getvalue()  # noqa: SLF001  # numba's own way to read a structure

    return array(array), generate


_without_owner: Any = intrinsic(_without_owner_of)


@inlined
def borrowed(state: MatchingState) -> MatchingState:
    """Return the state for a loop; never give it to Python, nor use it after the state itself."""
    return MatchingState(
        _without_owner(state.core), _without_owner(state.bids), _without_owner(state.asks),
        _without_owner(state.orders), _without_owner(state.order_index), _without_owner(state.entries),
        _without_owner(state.outputs), _without_owner(state.market_orders), _without_owner(state.market_index))

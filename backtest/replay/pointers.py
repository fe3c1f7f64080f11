"""Reading rows by their address, so that each instrument's rows stay where they were loaded or mapped.

The type of an array of several arrays would depend on how many there are, and so would the compiled code. Whoever
hands out an address keeps the rows alive: `backtest.replay.run`.
"""

from typing import Any

import numba
from numba import types
from numba.extending import intrinsic
from numba.np.numpy_support import carray

from backtest.kernels import kernel
from dataflows.kernels import RecordArray
from dataflows.tapes.rows import EVENT_DTYPE

_POINTER = types.CPointer(numba.from_dtype(EVENT_DTYPE))


@intrinsic
def _pointer(_typing: Any, address: Any) -> Any:  # noqa: ARG001  # numba goes by the name
    """Return an address as a pointer to rows."""
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], context.get_value_type(signature.return_type))

    return _POINTER(types.int64), generate


@kernel
def rows_at(address: int, count: int) -> RecordArray:
    """Return the rows at an address as an array that owns nothing."""
    found: RecordArray = carray(_pointer(address), count)  # type: ignore[call-arg]  # the typing comes from numba
    return found

"""How numeric kernels are compiled, said once: Numba, cached on disk, without the interpreter lock.

A kernel works on plain numbers, arrays and records of a fixed dtype. It is no place for Python objects, and it does not
use fast-math: the same events must give the same bits on every machine of one architecture.
"""

from collections.abc import Callable
from typing import Any, ParamSpec, TypeAlias, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

P = ParamSpec("P")
R = TypeVar("R")

#: A record of a fixed dtype inside a kernel, e.g. `book[0]`: fields are read and written as attributes.
Record: TypeAlias = Any
#: An array of one record, which is how a record is handed to a kernel.
RecordArray: TypeAlias = NDArray[np.void]
Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function with Numba at its first call, keeping its type for the type checker.

    Division by zero gives infinity or NaN, as in NumPy. The compiled code is cached beside the module.
    """
    return cast("Callable[P, R]", numba.njit(cache=True, nogil=True, error_model="numpy")(function))

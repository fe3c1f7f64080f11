"""Kernels that are laid into their caller, and reading of arrays that costs one instruction a byte.

A call hands over each array with its reference count, and an index may be negative in Python: both cost more than
reading a digit does.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

import numpy as np
from numba.core import cgutils, types
from numba.extending import intrinsic

from dataflows.codecs.quick_frame import Text
from dataflows.kernels import cache_folder, compiled

P = ParamSpec("P")
R = TypeVar("R")
A = TypeVar("A")


def inlined(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function that only other kernels call, into each of them."""
    folder = cache_folder(Path(function.__code__.co_filename), os.environ)
    return compiled(function, folder, forceinline=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)


def _make_borrowed(_typing: Any, array: types.Array) -> Any:
    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        view = context.make_array(array)(context, builder, arguments[0])
        view.meminfo = cgutils.get_null_value(view.meminfo.type)
        return view._getvalue()  # noqa: SLF001  # numba has no public way to make an array

    return array(array), generate


def _make_trailing_zeros(_typing: Any, bits: types.Integer) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], cgutils.false_bit)

    return types.int64(bits), generate


#: Give an array without its reference count, for use while the caller holds the array.
borrowed: Callable[[A], A] = cast("Any", intrinsic(_make_borrowed))
#: Tell how many bits lie below the lowest that is set; 64 where none is.
trailing_zeros: Callable[[np.uint64], int] = cast("Any", intrinsic(_make_trailing_zeros))


@inlined
def byte_at(text: Text, at: int) -> int:
    """Return a byte; the index must not be negative."""
    return int(np.int64(text[np.uint64(at)]))

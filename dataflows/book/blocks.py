"""Moving and zeroing blocks of an array, as one instruction of the machine each.

A loop does the same, but Numba cannot know that no index is negative, and makes much slow code of it. Nothing checks an
index here: callers give places that are within the array. A number of places below 1 is none.
"""

from collections.abc import Callable
from typing import Any, cast

from numba.core import cgutils, types
from numba.extending import intrinsic

from dataflows.kernels import Floats, Integers


def _address(context: Any, builder: Any, array: types.Array, value: Any, place: Any) -> Any:
    return builder.gep(context.make_array(array)(context, builder, value).data, [place])


def _size(context: Any, builder: Any, array: types.Array, number: Any) -> Any:
    """Return the bytes of a number of places, 0 where it is negative."""
    none = number.type(0)
    size = builder.mul(number, number.type(context.get_abi_sizeof(context.get_data_type(array.dtype))))
    return builder.select(builder.icmp_signed(">", number, none), size, none)


def _make_move(_typing: Any, array: types.Array, _target: Any, _source: Any, _number: Any) -> Any:
    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        target, source = (_address(context, builder, array, arguments[0], place) for place in arguments[1:3])
        cgutils.raw_memmove(builder, target, source, _size(context, builder, array, arguments[3]), 1)
        return context.get_dummy_value()

    return types.void(array, types.int64, types.int64, types.int64), generate


def _make_zero(_typing: Any, array: types.Array, _start: Any, _number: Any) -> Any:
    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        start = _address(context, builder, array, *arguments[:2])
        cgutils.memset(builder, start, _size(context, builder, array, arguments[2]), 0)
        return context.get_dummy_value()

    return types.void(array, types.int64, types.int64), generate


#: (array, target, source, number): copy `number` places from `source` on to `target` on; the two may overlap.
move: Callable[[Floats | Integers, int, int, int], None] = cast("Any", intrinsic(_make_move))
#: (array, start, number): set `number` places from `start` on to zero.
zero: Callable[[Floats | Integers, int, int], None] = cast("Any", intrinsic(_make_zero))

"""Records of a fixed dtype in memory, reached by addresses: what a state is made of inside a kernel.

A kernel that takes arrays takes each as seven numbers and counts references to it; a state is many arrays. So a kernel
takes one number, the address of the state's first record, in which the addresses of the arrays are written. Whoever
hands out an address keeps the arrays alive.

Nothing checks an index here.
"""

from collections.abc import Callable
from typing import Any, cast

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from dataflows.kernels import Record

_WORD, _BYTES = ir.IntType(64), ir.IntType(8).as_pointer()


def record_of(dtype: np.dtype[np.void]) -> Callable[[int], Record]:
    """Return a function of kernels that gives the record at an address."""
    made = numba.from_dtype(dtype)

    @intrinsic
    def record(_typing: Any, _address: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return builder.inttoptr(arguments[0], context.get_value_type(signature.return_type))

        return made(types.int64), generate

    return cast("Callable[[int], Record]", record)


def element_of(owner: np.dtype[np.void], field: str, dtype: np.dtype[np.void]) -> Callable[[Any, int], Record]:
    """Return a function of kernels: (owner, index) -> the record of an array whose address is in a field.

    The owner is a record or its address.
    """
    offset = _offset(owner, field)

    @intrinsic
    def element(_typing: Any, owner: Any, _index: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            at = _load(builder, _bytes(builder, arguments[0]), offset)
            return _at(context, builder, signature, at, arguments[1], dtype.itemsize)

        return _signature(dtype, owner, types.int64), generate

    return cast("Callable[[Any, int], Record]", element)


def row_element_of(
    owner: np.dtype[np.void], field: str, dtype: np.dtype[np.void], length: str | int,
) -> Callable[[Any, int, int], Record]:
    """Return a function of kernels: (owner, row, index) -> the record of rows of one length, a number or a field."""
    offset = _offset(owner, field)
    row_length = length if isinstance(length, int) else None
    length_offset = 0 if isinstance(length, int) else _offset(owner, length)

    @intrinsic
    def element(_typing: Any, owner: Any, _row: Any, _index: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            first = _bytes(builder, arguments[0])
            many = ir.Constant(_WORD, row_length) if row_length else _load(builder, first, length_offset)
            index_of = builder.add(builder.mul(arguments[1], many), arguments[2])
            return _at(context, builder, signature, _load(builder, first, offset), index_of, dtype.itemsize)

        return _signature(dtype, owner, types.int64, types.int64), generate

    return cast("Callable[[Any, int, int], Record]", element)


def inner_of(owner: np.dtype[np.void], field: str, dtype: np.dtype[np.void]) -> Callable[[Any, int], Record]:
    """Return a function of kernels: (owner, index) -> the record of an array that begins at a field of the owner."""
    offset = _offset(owner, field)

    @intrinsic
    def element(_typing: Any, owner: Any, _index: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            first = builder.ptrtoint(_bytes(builder, arguments[0]), _WORD)
            at = builder.add(first, ir.Constant(_WORD, offset))
            return _at(context, builder, signature, at, arguments[1], dtype.itemsize)

        return _signature(dtype, owner, types.int64), generate

    return cast("Callable[[Any, int], Record]", element)


def _offset(owner: np.dtype[np.void], field: str) -> int:
    assert owner.fields is not None
    return int(owner.fields[field][1])


def _signature(dtype: np.dtype[np.void], owner: Any, *indexes: Any) -> Any:
    return numba.from_dtype(dtype)(owner if isinstance(owner, types.Record) else types.int64, *indexes)


def _bytes(builder: Any, owner: Any) -> Any:
    if isinstance(owner.type, ir.IntType):
        return builder.inttoptr(owner, _BYTES)
    return builder.bitcast(owner, _BYTES)


def _load(builder: Any, first: Any, offset: int) -> Any:
    at = builder.gep(first, [ir.Constant(_WORD, offset)])
    return builder.load(builder.bitcast(at, _WORD.as_pointer()))


def _at(context: Any, builder: Any, signature: Any, first: Any, index: Any, size: int) -> Any:
    address = builder.add(first, builder.mul(index, ir.Constant(_WORD, size)))
    return builder.inttoptr(address, context.get_value_type(signature.return_type))

"""What the batch functions take: checked, and in the one form that kernels are compiled for."""

import operator

import numpy as np
from numpy.typing import ArrayLike

from dataflows.kernels import Floats
from sluice.errors import InputError

#: What is longer is a mistake.
LONGEST_PERIOD = 1_000_000


def columns(rows: int = 0, **values: ArrayLike) -> tuple[list[Floats], Floats]:
    """Return the named values as arrays of their own, and an empty array, or so many rows, of their length.

    Raises `InputError` where they are not finite numbers of one length.
    """
    arrays = [_finite(name, given) for name, given in values.items()]
    if len({array.size for array in arrays}) > 1:
        sizes = ", ".join(f"{array.size} {name}" for name, array in zip(values, arrays, strict=True))
        raise InputError(f"columns must be of one length, were {sizes}")
    size = arrays[0].size
    return arrays, np.empty((rows, size) if rows else size)


def _finite(name: str, values: ArrayLike) -> Floats:
    # A copy, for what Polars lends is not writable, and kernels would be compiled once more for that.
    try:
        array: Floats = np.array(values, np.float64, order="C")
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} must be numbers, was {type(values).__name__}: {error}") from error
    if array.ndim != 1:
        raise InputError(f"{name} must be one value a bar, was of shape {array.shape}")
    if not np.isfinite(array).all():
        place = int(np.argmin(np.isfinite(array)))
        raise InputError(f"{name} must be finite, was {array[place]} at position {place}", fix="leave such bars out")
    return array


def period_of(value: int, name: str = "period") -> int:
    """Return a period. Raises `InputError` where it is not a whole number of 1 to `LONGEST_PERIOD`."""
    try:
        length = operator.index(value)
    except TypeError:
        length = 0
    if not 1 <= length <= LONGEST_PERIOD:
        raise InputError(f"{name} must be a whole number of 1 to {LONGEST_PERIOD}, was {value!r}")
    return length


def factor_of(value: float, name: str) -> float:
    """Return a factor. Raises `InputError` where it is not a finite number above 0."""
    if not 0.0 < value < np.inf:
        raise InputError(f"{name} must be a number above 0, was {value!r}")
    return float(value)

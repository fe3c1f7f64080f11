"""A state as bytes and back, and a state with the same market for another account."""

import io
import zipfile

import numpy as np

from backtest.matching.arrays import ARRAYS, MatchingState
from backtest.matching.state import CORE
from dataflows.kernels import RecordArray
from sluice.errors import InputError


def to_bytes(state: MatchingState) -> bytes:
    """Return the whole state as bytes, as small as its content is repetitive (compressed arrays of NumPy)."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **state.parts())  # type: ignore[arg-type]  # NumPy's own types forbid any keyword
    return buffer.getvalue()


def from_bytes(data: bytes) -> MatchingState:
    """Return the state of `to_bytes`. Raises `InputError` where these are no such bytes."""
    dtypes = {"core": CORE, **ARRAYS}
    try:
        with np.load(io.BytesIO(data)) as archive:
            parts = {name: archive[name] for name in dtypes}
    except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(f"a matching state must be whole: {error}") from error
    for name, dtype in dtypes.items():
        if parts[name].dtype != dtype or parts[name].ndim != 1 + (name == "entries"):
            raise InputError(f"{name} of a matching state must be of this version, was not")
    arrays = {name: _aligned(parts[name], dtype) for name, dtype in ARRAYS.items()}
    return MatchingState(_aligned(parts["core"], CORE), arrays)


def _aligned(part: RecordArray, dtype: np.dtype[np.void]) -> RecordArray:
    """Return a copy that is where this process may write."""
    copy = np.empty(part.shape, dtype)
    copy[...] = part
    return copy

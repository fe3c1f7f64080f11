"""How numeric kernels are compiled, said once: Numba, cached on disk, without the interpreter lock.

A kernel works on plain numbers, arrays and records of a fixed dtype. It is no place for Python objects, and it does not
use fast-math: the same events must give the same bits on every machine of one architecture.

Numba's own cache looks only at the file of the outermost kernel and would go on using old code of a kernel called from
another file. So the compiled code of a file lies in a folder named after that file and all that it imports
(`kernel_sources`). The folders are in `NUMBA_CACHE_DIR` where that is set, else in the user's cache folder; where that
cannot be written, Numba falls back on its own places.
"""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ParamSpec, TypeAlias, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

from dataflows.kernel_sources import digest_of

P = ParamSpec("P")
R = TypeVar("R")

#: A record of a fixed dtype inside a kernel, e.g. `book[0]`: fields are read and written as attributes.
Record: TypeAlias = Any
#: An array of one record, which is how a record is handed to a kernel.
RecordArray: TypeAlias = NDArray[np.void]
Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]


_ROOT = Path(__file__).parent.parent


def cache_root(environ: Mapping[str, str]) -> Path:
    """Return the folder under which compiled code is kept."""
    users = Path(environ.get("XDG_CACHE_HOME") or "~/.cache") / "sluice" / "kernels"
    return Path(environ.get("NUMBA_CACHE_DIR") or users).expanduser()


def cache_folder(source: Path, environ: Mapping[str, str], root: Path = _ROOT) -> Path:
    """Return the folder for the compiled code of the kernels in a file as they, and what they call, are written now."""
    return cache_root(environ) / f"{source.stem}-{digest_of(source, root)}"


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function with Numba at its first call, keeping its type for the type checker.

    Division by zero gives infinity or NaN, as in NumPy. The compiled code is cached on disk.
    """
    return compiled(function, cache_folder(Path(function.__code__.co_filename), os.environ))


def part(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function that only other kernels call: without what Python would need to call it, which saves time."""
    folder = cache_folder(Path(function.__code__.co_filename), os.environ)
    return compiled(function, folder, no_cpython_wrapper=True, no_cfunc_wrapper=True)


def compiled(function: Callable[P, R], folder: Path, **options: Any) -> Callable[P, R]:
    """Compile a function at its first call as `kernel` does, with more options of Numba, into a folder."""
    usual = getattr(numba.config, "CACHE_DIR")  # noqa: B009  # numba makes its settings at run time
    setattr(numba.config, "CACHE_DIR", str(folder))  # noqa: B010  # see above
    try:
        made = numba.njit(cache=True, nogil=True, error_model="numpy", **options)(function)
    finally:
        setattr(numba.config, "CACHE_DIR", usual)  # noqa: B010  # see above
    return cast("Callable[P, R]", made)

"""How numeric kernels are compiled, said once: Numba, cached on disk, without the interpreter lock.

A kernel works on plain numbers, arrays and records of a fixed dtype. It is no place for Python objects, and it does not
use fast-math: the same events must give the same bits on every machine of one architecture.

Numba's own cache looks only at the file of the outermost kernel and would go on using old code of a kernel called from
another file. So the cache lies in a folder named after the sources of all kernels. It is `NUMBA_CACHE_DIR` where that
is set, else in the user's cache folder; where that cannot be written, Numba falls back on its own places.
"""

import hashlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path
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


#: Where kernels and the constants that are compiled into them are written.
_SOURCES = ("kernels.py", "bars.py", "book/*.py", "codecs/*.py", "indicators/*.py", "actors/market*.py")


def cache_folder(package: Path, environ: Mapping[str, str]) -> Path:
    """Return the folder for the compiled code of a package's kernels as they are written now."""
    users = Path(environ.get("XDG_CACHE_HOME") or "~/.cache") / "sluice" / "kernels"
    base = Path(environ.get("NUMBA_CACHE_DIR") or users)
    digest = hashlib.sha256()
    for path in sorted(found for pattern in _SOURCES for found in package.glob(pattern)):
        digest.update(path.relative_to(package).as_posix().encode() + b"\0" + path.read_bytes())
    return base.expanduser() / digest.hexdigest()[:16]


setattr(numba.config, "CACHE_DIR", str(cache_folder(Path(__file__).parent, os.environ)))  # noqa: B010  # made at run time


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function with Numba at its first call, keeping its type for the type checker.

    Division by zero gives infinity or NaN, as in NumPy. The compiled code is cached on disk.
    """
    return cast("Callable[P, R]", numba.njit(cache=True, nogil=True, error_model="numpy")(function))

"""How the numeric kernels of the backtest are compiled: as `dataflows.kernels` does, with caches of their own.

Compiled code lies in a folder named after the sources it was made of: the matching kernels go by their own sources,
those of any other package by their own and by those of matching, which they call. So a change of one package does not
compile the others again. Sources are looked up beside this file.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar, cast

import numba

from dataflows import kernels

P = ParamSpec("P")
R = TypeVar("R")

_ROOM = Path(__file__).parent
_SHARED = (_ROOM / "kernels.py", _ROOM / "matching")


def cache_folder(package: Path) -> Path:
    """Return the folder for the compiled code of a package (a folder) of kernels, as written now."""
    digest = hashlib.sha256()
    for source in dict.fromkeys((*_SHARED, package)):
        for path in sorted(source.glob("*.py")) if source.is_dir() else [source]:
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    usual = getattr(numba.config, "CACHE_DIR")  # noqa: B009  # numba makes its settings at run time
    return Path(str(usual)).parent / f"{package.name}-{digest.hexdigest()[:16]}"


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function with Numba at its first call; see `dataflows.kernels.kernel`."""
    return _compiled(function, kernels.kernel)


def inlined(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a short function into each kernel that calls it: for those on the way of every event.

    A state of many arrays is not handed over then, which costs more than what such a function does.
    """
    return _compiled(function, _inlined)


def _inlined(function: Callable[P, R]) -> Callable[P, R]:
    compiler = numba.njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
    return cast("Callable[P, R]", compiler(function))


def _compiled(function: Callable[P, R], compiler: Callable[[Callable[P, R]], Callable[P, R]]) -> Callable[P, R]:
    usual = getattr(numba.config, "CACHE_DIR")  # noqa: B009  # see above
    folder = _folder(Path(function.__code__.co_filename).parent)
    setattr(numba.config, "CACHE_DIR", str(folder))  # noqa: B010  # see above
    try:
        return compiler(function)
    finally:
        setattr(numba.config, "CACHE_DIR", usual)  # noqa: B010  # see above


_folders: dict[Path, Path] = {}


def _folder(package: Path) -> Path:
    if package not in _folders:
        _folders[package] = cache_folder(package)
    return _folders[package]

"""How the numeric kernels of the backtest are compiled: as `dataflows.kernels` does, with caches of their own.

Compiled code lies in a folder named after the sources it was made of: the matching kernels go by their own sources,
those of any other package by their own and by those of matching, which they call. So a change of one package does not
compile the others again. Sources are looked up beside this file.

A kernel holds the code of every kernel that it calls, compiled once more. Where that would be much, the called one is
an entry point (`backtest.entry_points`), which is compiled once and called by its address.
"""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

from numba import types

from dataflows import kernels

P = ParamSpec("P")
R = TypeVar("R")

_ROOM = Path(__file__).parent
_SHARED = (_ROOM / "kernels.py", _ROOM / "entry_points.py", _ROOM / "memory.py", _ROOM / "matching")


def cache_folder(package: Path) -> Path:
    """Return the folder for the compiled code of a package (a folder) of kernels, as written now."""
    digest = hashlib.sha256()
    for source in dict.fromkeys((*_SHARED, package)):
        for path in sorted(source.glob("*.py")) if source.is_dir() else [source]:
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return kernels.cache_root(os.environ) / f"{package.name}-{digest.hexdigest()[:16]}"


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function with Numba at its first call; see `dataflows.kernels.kernel`."""
    return _compiled(function)


def part(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function that only other kernels call: without what Python would need to call it."""
    return _compiled(function, no_cpython_wrapper=True, no_cfunc_wrapper=True)


def inlined(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a short function into each kernel that calls it: for those on the way of every event."""
    return _compiled(function, forceinline=True)


def _compiled(function: Callable[P, R], **options: object) -> Callable[P, R]:
    return cast("Callable[P, R]", _for_any_value(kernels.compiled(function, folder_of(function), **options)))


def _for_any_value(dispatcher: Any) -> Any:
    """Keep Numba from compiling a function once more for every constant that a kernel calls it with."""
    usual = dispatcher.get_call_template

    def get_call_template(args: tuple[Any, ...], kws: dict[str, Any]) -> Any:
        return usual(tuple(map(types.unliteral, args)), {name: types.unliteral(kind) for name, kind in kws.items()})

    dispatcher.get_call_template = get_call_template
    return dispatcher


_folders: dict[Path, Path] = {}


def folder_of(function: Callable[..., object]) -> Path:
    """Return the cache folder of the package that a function is in."""
    package = Path(function.__code__.co_filename).parent
    if package not in _folders:
        _folders[package] = cache_folder(package)
    return _folders[package]

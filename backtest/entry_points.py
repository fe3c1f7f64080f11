"""Kernels that are compiled once and called by their address: so that none of their code is compiled into the callers.

Numba links and optimises whatever a kernel calls into that kernel, again for every caller, all the way down. What is
not on the way of every event is therefore an entry point: its code is made once, its address is written into a table,
and callers find the table by the first field of the record that their first argument is the address of.

Arguments are whole numbers. From Python an entry point is an ordinary function.
"""

import contextlib
import fcntl
import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Generic, ParamSpec, TypeVar

import numpy as np
from llvmlite import ir
from numba import types
from numba.core.typing.templates import infer_global, make_intrinsic_template

from backtest.kernels import folder_of, kernel

P = ParamSpec("P")
R = TypeVar("R")

_WORD = ir.IntType(64)


class Entry(Generic[P, R]):
    """One entry point. Kernels call it by its address, Python directly."""

    def __init__(self, function: Callable[P, R], number: int) -> None:
        """Describe the entry of a table; nothing is compiled yet."""
        self.name = function.__name__
        self.folder = folder_of(function)
        self.__doc__ = function.__doc__
        self._compiled: Any = kernel(function)
        parameters = inspect.signature(function).parameters
        returned = types.void if function.__annotations__["return"] is None else types.int64
        self._signature = returned(*[types.int64 for _ in parameters])
        _make_callable(self, list(parameters), self._signature, number)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call it from Python."""
        result: R = self._compiled(*args, **kwargs)
        return result

    def load(self) -> int:
        """Compile it, or take it from the cache, and return its address."""
        self._compiled.compile(self._signature)
        result = self._compiled.get_compile_result(self._signature)
        return int(result.library.get_pointer_to_function(result.fndesc.llvm_cfunc_wrapper_name))


class EntryTable:
    """The addresses of a package's entry points. Names are given beforehand: compiled code counts on the order."""

    def __init__(self, *names: str) -> None:
        """Describe a table with a place for each name."""
        self._names = names
        self._entries: dict[str, Entry[..., Any]] = {}
        self._addresses = np.zeros(len(names), np.int64)

    def entry(self, function: Callable[P, R]) -> Entry[P, R]:
        """Make a function the entry point of its name."""
        made = Entry(function, self._names.index(function.__name__))
        self._entries[made.name] = made
        return made

    @property
    def cached(self) -> bool:
        """Tell whether there is compiled code of this table's sources, so that `address` takes no seconds."""
        return all(any(folder.glob("**/*.nbi")) for folder in {entry.folder for entry in self._entries.values()})

    def address(self) -> int:
        """Return the table's address, everything in it compiled: the first time that takes seconds, later it is cached.

        Processes that do so at the same time take turns, so that each kernel is compiled by one of them only.
        """
        for number, name in enumerate(self._names):
            if not self._addresses[number]:
                entry = self._entries[name]
                with _turn(entry.folder):
                    self._addresses[number] = entry.load()
        return int(self._addresses.ctypes.data)


@contextlib.contextmanager
def _turn(folder: Path) -> Iterator[None]:
    """Hold a folder's lock; where there can be none, go on without."""
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            file = stack.enter_context((folder / "lock").open("wb"))
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _make_callable(entry: Entry[..., Any], names: list[str], signature: Any, number: int) -> None:
    """Tell Numba how a kernel calls an entry: by the address at a place of the table."""
    def call(context: Any, builder: Any, given: Any, arguments: Any) -> Any:
        record = builder.inttoptr(arguments[0], _WORD.as_pointer())
        table = builder.inttoptr(builder.load(record), _WORD.as_pointer())
        address = builder.load(builder.gep(table, [ir.Constant(_WORD, number)]))
        returned = ir.VoidType() if given.return_type == types.void else _WORD
        made = builder.call(
            builder.inttoptr(address, ir.FunctionType(returned, [_WORD] * len(names)).as_pointer()), arguments)
        return made if returned is _WORD else context.get_dummy_value()

    def describe(_typing: Any, *_arguments: Any) -> Any:
        return signature, call

    kinds = inspect.Parameter.POSITIONAL_OR_KEYWORD
    parameters = [inspect.Parameter(name, kinds) for name in ("typing", *names)]
    describe.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # read by Numba
    infer_global(entry, types.Function(make_intrinsic_template(entry, describe, entry.name)))

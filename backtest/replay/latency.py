"""How long an order is on its way to the exchange, and an answer on its way back.

Feed latency is not here: it is in the data, whose every row has the time it took place and the time it was received.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from dataflows.kernels import Integers
from sluice.errors import InputError

_COLUMNS = ("request_ns", "exchange_ns", "response_ns")


@dataclass(frozen=True, slots=True, eq=False)
class OrderLatency:
    """Latency of orders as samples: sent at `request_ns`, at the exchange at `exchange_ns`, answered at `response_ns`.

    Between two samples it is interpolated linearly by time, before the first and after the last it is theirs. The way
    there is looked up by the time of sending, the way back by the time at the exchange.
    """

    request_ns: Integers
    exchange_ns: Integers
    response_ns: Integers

    @classmethod
    def constant(cls, entry_ns: int, response_ns: int) -> Self:
        """Return a latency that never changes: `entry_ns` there and `response_ns` back. Raises `InputError`."""
        if entry_ns < 0 or response_ns < 0:
            raise InputError(f"a latency must be 0 ns or more, was {entry_ns} and {response_ns}")
        columns = (0, entry_ns, entry_ns + response_ns)
        return cls(*(np.array([value], np.int64) for value in columns))

    @classmethod
    def recorded(cls, request_ns: Integers, exchange_ns: Integers, response_ns: Integers) -> Self:
        """Return a latency of recorded samples in order of time. Raises `InputError` where they cannot be."""
        columns = [np.ascontiguousarray(column, np.int64) for column in (request_ns, exchange_ns, response_ns)]
        if len({len(column) for column in columns}) != 1 or not len(columns[0]):
            raise InputError("latency samples must be columns of one length, at least 1")
        for name, column in zip(_COLUMNS, columns, strict=True):
            if (np.diff(column) < 0).any():
                raise InputError(f"latency samples must go by time, {name} goes back")
        if (columns[1] < columns[0]).any() or (columns[2] < columns[1]).any():
            raise InputError("a latency sample must be sent, then taken, then answered, was in another order")
        return cls(*columns)

    @classmethod
    def from_file(cls, path: Path) -> Self:
        """Read samples from an .npz with an array for each column. Raises `InputError`."""
        try:
            with np.load(path, allow_pickle=False) as archive:
                return cls.recorded(*(archive[name] for name in _COLUMNS))
        except (OSError, ValueError, KeyError, EOFError, AttributeError) as error:
            fix = f"save the arrays {', '.join(_COLUMNS)} with numpy.savez"
            raise InputError(f"latency samples must be an .npz, was {str(path)!r}: {error}", fix=fix) from error

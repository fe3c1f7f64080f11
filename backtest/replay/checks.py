"""What rows must be before a backtest believes them, looked at once, with the range of their prices."""

from dataclasses import dataclass

import numpy as np

from backtest.kernels import kernel
from dataflows.kernels import Integers
from dataflows.tapes.rows import (
    DEPTH_CLEAR_EVENT,
    DEPTH_EVENT,
    DEPTH_SNAPSHOT_EVENT,
    EXCH_EVENT,
    LOCAL_EVENT,
    TRADE_EVENT,
    Rows,
)
from sluice.errors import InputError

_PROBLEMS = (
    "", "must go by the exchange's time, it goes back", "must go by the time received, it goes back",
    "must not be received before it took place", "must have a finite price above 0",
    "must have a finite quantity of 0 or more", "must have a price that is a multiple of the tick size",
    "must have a quantity that is a multiple of the lot size",
)
#: How far from a multiple a price or quantity may be, in ticks or lots.
_TOLERANCE = 1e-3
_MOST_TICKS = 2.0**40
_FIELDS = range(8)
_PROBLEM, _ROW, _FIRST_NS, _LAST_NS, _LOWEST, _HIGHEST, _TRADES, _OTHERS = _FIELDS


@dataclass(frozen=True, slots=True)
class RowsFound:
    """What the rows of an instrument are: times by either clock, prices in ticks, trades, rows of kinds not used."""

    first_ns: int
    last_ns: int
    lowest_ticks: int
    highest_ticks: int
    trades: int
    others: int


def check_rows(rows: Rows, tick_size: float, lot_size: float, name: str) -> RowsFound:
    """Return what rows hold. Raises `InputError` that names the first row that cannot be, or where there are none."""
    found = np.zeros(len(_FIELDS), np.int64)
    _check(rows, 1.0 / tick_size, 1.0 / lot_size, found)
    if problem := _PROBLEMS[found[_PROBLEM]]:
        at = int(found[_ROW])
        row = {field: rows[at][field].item() for field in ("exch_ts", "local_ts", "px", "qty")}
        raise InputError(f"row {at} of {name} {problem}, was {row}")
    if not found[_HIGHEST]:
        raise InputError(f"the rows of {name} must hold levels or trades, were {len(rows)} without any")
    return RowsFound(*(int(value) for value in found[_FIRST_NS:]))


@kernel
def _check(rows: Rows, per_price: float, per_quantity: float, found: Integers) -> None:
    exchange_ns = local_ns = -(2**62)
    found[_FIRST_NS], found[_LAST_NS], found[_LOWEST] = 2**62, 0, 2**62
    for at in range(rows.size):
        row = rows[at]
        flags, problem = int(row.ev), 0
        kind = flags & 0xFF
        if flags & EXCH_EVENT:
            problem = 1 if row.exch_ts < exchange_ns else 0
            exchange_ns = row.exch_ts
        if flags & LOCAL_EVENT:
            if row.local_ts < local_ns:
                problem = 2
            elif row.local_ts < row.exch_ts:
                problem = 3
            local_ns = row.local_ts
        if kind in (DEPTH_EVENT, DEPTH_SNAPSHOT_EVENT, TRADE_EVENT):
            problem = problem or _check_level(row.px * per_price, row.qty * per_quantity)
            if problem == 0:
                ticks = int(row.px * per_price + 0.5)
                found[_LOWEST] = min(found[_LOWEST], ticks)
                found[_HIGHEST] = max(found[_HIGHEST], ticks)
            found[_TRADES] += kind == TRADE_EVENT
        elif kind != DEPTH_CLEAR_EVENT:
            found[_OTHERS] += 1
        if problem:
            found[_PROBLEM], found[_ROW] = problem, at
            return
        found[_FIRST_NS] = min(found[_FIRST_NS], row.exch_ts)
        found[_LAST_NS] = max(found[_LAST_NS], row.exch_ts, row.local_ts)


@kernel
def _check_level(ticks: float, lots: float) -> int:
    if not 0.5 < ticks < _MOST_TICKS:
        return 4
    if not 0.0 <= lots < _MOST_TICKS * _MOST_TICKS / 2.0**20:
        return 5
    if abs(ticks - np.rint(ticks)) > _TOLERANCE:
        return 6
    return 7 if abs(lots - np.rint(lots)) > max(_TOLERANCE, 1e-9 * lots) else 0

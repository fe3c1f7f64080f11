"""The same kernels over arrays: a column of events in, a table of features out, for research.

It gives what an actor gives at the same ticks, bit for bit, for every feature that is made of events; those of the
book's levels need a tape (`sluice features`) and are NaN here. Events of one instrument, in the order of their times.
"""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from dataflows.indicators.microstructure import observer
from dataflows.indicators.microstructure.seconds import SECOND_CAPACITY
from dataflows.indicators.windows import NANOSECONDS
from dataflows.kernels import Floats, Integers, Record, RecordArray, kernel, part
from sluice.errors import InputError


class EventKind(IntEnum):
    """What an event's `numbers` are."""

    #: Best bid, its quantity, best ask, its quantity.
    TOP = 1
    #: Levels that an update of the book set, and removed.
    LEVELS = 2
    #: Price, quantity, sign: 1 where the taker bought, else -1.
    TRADE = 3
    #: Mark price, index price, funding rate; NaN where unknown. `next_funding_time_ns` is beside them.
    MARK = 4
    #: Open interest.
    OPEN_INTEREST = 5
    #: Price, quantity, sign: 1 where the forced order bought, else -1.
    LIQUIDATION = 6


EVENT = np.dtype(
    [
        ("kind", np.int64),
        ("time_ns", np.int64),
        ("next_funding_time_ns", np.int64),
        ("numbers", np.float64, (4,)),
    ],
    align=True,
)

#: What goes on from one call to the next: the best prices, the second that time is in, and the family's own record.
BATCH = np.dtype(
    [
        ("started", np.int64),
        ("second", np.int64),
        ("top", np.float64, (4,)),
        ("family", observer.MICROSTRUCTURE),
    ],
    align=True,
)

_TOP, _LEVELS, _TRADE = int(EventKind.TOP), int(EventKind.LEVELS), int(EventKind.TRADE)
_MARK, _INTEREST, _LIQUIDATION = int(EventKind.MARK), int(EventKind.OPEN_INTEREST), int(EventKind.LIQUIDATION)


def new_batch() -> RecordArray:
    """Return the state of a batch that has seen nothing."""
    return np.zeros(1, BATCH)


def rows(events: RecordArray, tick_times_ns: Integers, state: RecordArray | None = None) -> Floats:
    """Return the features at some ticks, of shape (ticks, features); a tick has seen the events before its time.

    `events` is of dtype `EVENT`. A `state` is where an earlier call ended, and is moved on; then no event or tick may
    be before those of that call, and its ticks must be before the new events. Raises `InputError` where times go back.
    """
    tick_times_ns = np.ascontiguousarray(tick_times_ns, np.int64)
    for name, times in (("events", events["time_ns"]), ("ticks", tick_times_ns)):
        if np.any(np.diff(times) < 0):
            raise InputError(f"{name} must be in the order of their times, were not", fix="sort them by time first")
    values = np.full((len(tick_times_ns), len(observer.FEATURES)), np.nan)
    _run(new_batch() if state is None else state, events, tick_times_ns, values)
    return values


@kernel
def _run(states: RecordArray, events: NDArray[np.void], tick_times_ns: Integers, values: Floats) -> None:
    state = states[0]
    row = 0
    for index in range(events.size):
        time_ns = events[index].time_ns
        while row < tick_times_ns.size and tick_times_ns[row] <= time_ns:
            _tick(state, tick_times_ns[row], values[row])
            row += 1
        _advance(state, time_ns)
        _apply(state, events[index])
    while row < tick_times_ns.size:
        _tick(state, tick_times_ns[row], values[row])
        row += 1


@part
def _tick(state: Record, time_ns: int, values: Floats) -> None:
    _advance(state, time_ns)
    observer.fill_events(state.family, state.top, time_ns, values[observer.EVENTS_BEGIN :])


@part
def _advance(state: Record, time_ns: int) -> None:
    second = time_ns // NANOSECONDS
    if state.started == 0:
        state.started = 1
        state.top[:] = np.nan
        state.second = second - 1
    elif second - state.second >= SECOND_CAPACITY:
        observer.restart(state.family)
        state.second = second - 1
    while state.second < second:
        state.second += 1
        observer.on_second(state.family, state.second, state.top)


@part
def _apply(state: Record, event: Record) -> None:
    family, time_ns, numbers = state.family, event.time_ns, event.numbers
    if event.kind == _TOP:
        if not _same(state.top, numbers):
            observer.on_top(family, time_ns, state.top, numbers)
            state.top[:] = numbers
    elif event.kind == _LEVELS:
        observer.on_levels(family, time_ns, numbers[0], numbers[1])
    elif event.kind == _TRADE:
        observer.on_trade(family, time_ns, numbers[0], numbers[1], numbers[2], state.top)
    elif event.kind == _MARK:
        observer.on_mark(family, time_ns, numbers[0], numbers[1], numbers[2], event.next_funding_time_ns)
    elif event.kind == _INTEREST:
        observer.on_open_interest(family, time_ns, numbers[0])
    elif event.kind == _LIQUIDATION:
        observer.on_liquidation(family, time_ns, numbers[0], numbers[1], numbers[2])


@part
def _same(one: Floats, other: Floats) -> bool:
    """Tell whether two tops are equal; unknown ones are."""
    for index in range(one.size):
        if one[index] != other[index] and not (np.isnan(one[index]) and np.isnan(other[index])):
            return False
    return True

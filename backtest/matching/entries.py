"""Sorted lists of order slots: whose turn it is by price, by date, by trigger or by arrival.

In each list the entries ascend by key, and by falling sequence within one key, so that the last entry is the first to
act (best price, earliest arrival). Finding a place takes O(log n); what lies above it moves by one.
"""

from backtest.kernels import part
from backtest.matching.memory import count_at, entry_at, length_of


@part
def _position(state: int, which: int, key: int, sequence: int) -> int:
    """Return the index of the first entry that acts no later than (key, sequence)."""
    low: int = 0
    high: int = length_of(state, which)
    while low < high:
        middle = (low + high) >> 1
        entry = entry_at(state, which, middle)
        if entry.key < key or (entry.key == key and entry.sequence > sequence):
            low = middle + 1
        else:
            high = middle
    return low


@part
def _copy(state: int, which: int, source: int, target: int) -> None:
    old, new = entry_at(state, which, source), entry_at(state, which, target)
    new.key = old.key
    new.sequence = old.sequence
    new.slot = old.slot


@part
def enlist(state: int, which: int, key: int, sequence: int, slot: int) -> None:
    """Put a slot into a list."""
    count = length_of(state, which)
    at = _position(state, which, key, sequence)
    for index in range(count, at, -1):
        _copy(state, which, index - 1, index)
    entry = entry_at(state, which, at)
    entry.key = key
    entry.sequence = sequence
    entry.slot = slot
    count_at(state, which).entries = count + 1


@part
def delist(state: int, which: int, key: int, sequence: int) -> None:
    """Take an entry out of a list; it must be there."""
    last = length_of(state, which) - 1
    for index in range(_position(state, which, key, sequence), last):
        _copy(state, which, index + 1, index)
    count_at(state, which).entries = last


@part
def first_slot(state: int, which: int) -> int:
    """Return the slot whose turn it is, or -1 where the list is empty."""
    count = length_of(state, which)
    return int(entry_at(state, which, count - 1).slot) if count > 0 else -1


@part
def range_of_key(state: int, which: int, key: int) -> tuple[int, int]:
    """Return (start, end) of the entries of one key; those at the end act first."""
    return _position(state, which, key, 2**62), _position(state, which, key + 1, 2**62)

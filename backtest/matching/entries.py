"""Sorted lists of order slots: whose turn it is by price, by date, by trigger or by arrival.

In each list the entries ascend by key, and by falling sequence within one key, so that the last entry is the first to
act (best price, earliest arrival). Finding a place takes O(log n); what lies above it moves by one.
"""

from backtest.kernels import kernel
from backtest.matching.state import MatchingState


@kernel
def _position(state: MatchingState, which: int, key: int, sequence: int) -> int:
    """Return the index of the first entry that acts no later than (key, sequence)."""
    entries = state.entries
    low: int = 0
    high: int = state.core[0].counts[which]
    while low < high:
        middle = (low + high) >> 1
        entry = entries[which, middle]
        if entry.key < key or (entry.key == key and entry.sequence > sequence):
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def enlist(state: MatchingState, which: int, key: int, sequence: int, slot: int) -> None:
    """Put a slot into a list."""
    entries, count = state.entries, state.core[0].counts[which]
    at = _position(state, which, key, sequence)
    for index in range(count, at, -1):
        entries[which, index].key = entries[which, index - 1].key
        entries[which, index].sequence = entries[which, index - 1].sequence
        entries[which, index].slot = entries[which, index - 1].slot
    entries[which, at].key = key
    entries[which, at].sequence = sequence
    entries[which, at].slot = slot
    state.core[0].counts[which] = count + 1


@kernel
def delist(state: MatchingState, which: int, key: int, sequence: int) -> None:
    """Take an entry out of a list; it must be there."""
    entries, last = state.entries, state.core[0].counts[which] - 1
    for index in range(_position(state, which, key, sequence), last):
        entries[which, index].key = entries[which, index + 1].key
        entries[which, index].sequence = entries[which, index + 1].sequence
        entries[which, index].slot = entries[which, index + 1].slot
    state.core[0].counts[which] = last


@kernel
def first_slot(state: MatchingState, which: int) -> int:
    """Return the slot whose turn it is, or -1 where the list is empty."""
    count = state.core[0].counts[which]
    return int(state.entries[which, count - 1].slot) if count > 0 else -1


@kernel
def range_of_key(state: MatchingState, which: int, key: int) -> tuple[int, int]:
    """Return (start, end) of the entries of one key; those at the end act first."""
    return _position(state, which, key, 2**62), _position(state, which, key + 1, 2**62)

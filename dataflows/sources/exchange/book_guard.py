"""Watching the sequence of a book's differences, so that a snapshot is asked for when one is needed.

Only the numbers at the head of a difference are read, never its levels. The book itself judges every difference again;
the guard only has to notice that it will want a snapshot, and a needless one does no harm.
Rules: Binance futures, "How to manage a local order book correctly".
"""

import re

import msgspec

_HEAD = re.compile(rb'"U":(\d{1,19}),"u":(\d{1,19}),"pu":(-?\d{1,19})')
#: The head of a difference stands within so many bytes, the levels after it.
_HEAD_BYTES = 320


class DepthHead(msgspec.Struct, gc=False):
    """The ids of a difference: its first update, its last, and the last of the difference before it."""

    first: int = msgspec.field(name="U")
    last: int = msgspec.field(name="u")
    previous: int = msgspec.field(name="pu")


class _Envelope(msgspec.Struct, gc=False):
    data: DepthHead


_envelopes = msgspec.json.Decoder(_Envelope, strict=False)


def read_head(payload: bytes) -> DepthHead | None:
    """Return the ids of a difference inside its envelope, or None where the frame has none."""
    if found := _HEAD.search(payload, 0, _HEAD_BYTES):
        return DepthHead(int(found[1]), int(found[2]), int(found[3]))
    try:
        return _envelopes.decode(payload).data
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


class BookGuard:
    """The sequence of one book. `gaps` counts the differences that did not follow the one before."""

    def __init__(self) -> None:
        self.gaps = 0
        self._last: int | None = None
        self._first = self._before = 0
        self._joined = 0

    def take(self, head: DepthHead) -> bool:
        """Take a difference in; tell whether it is the first or does not follow the one before, so needs a snapshot."""
        last, self._last = self._last, head.last
        if head.previous == last:
            return False
        self.gaps += last is not None
        self._first, self._before = head.first, head.previous
        return not (self._joined == head.previous or head.first <= self._joined <= head.last)

    def take_snapshot(self, last_update_id: int) -> bool:
        """Take a snapshot in; tell whether the differences can be joined to it, now or as they come."""
        self._joined = last_update_id
        return self._last is None or last_update_id == self._before or last_update_id >= self._first

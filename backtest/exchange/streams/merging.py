"""Several differences of a book as one, as the slower depth streams send them.

The first one's `U` and `pu`, the last one's everything else, and of every price the last quantity.
"""

from typing import Any

import msgspec


def merged_depth(events: list[bytes]) -> bytes:
    """Return one difference that does what these do one after the other; a single one comes back unchanged.

    Raises `msgspec.DecodeError` where an event is no JSON object and `KeyError` where it lacks a field.
    """
    if len(events) == 1:
        return events[0]
    documents: list[dict[str, Any]] = [msgspec.json.decode(event, type=dict[str, Any]) for event in events]
    last = documents[-1]
    last["U"], last["pu"] = documents[0]["U"], documents[0]["pu"]
    for side in ("b", "a"):
        levels = {price: quantity for document in documents for price, quantity in document[side]}
        last[side] = list(levels.items())
    return msgspec.json.encode(last)


class DepthMerger:
    """Collects the differences of one book and says at the end of each interval what to send."""

    def __init__(self, interval_ms: int) -> None:
        self._interval_ms = interval_ms
        self._bucket = -1
        self._events: list[bytes] = []

    def add(self, time_ms: int, event: bytes) -> bytes | None:
        """Take a difference that comes at a time; return the one of the interval that is over by then, if any."""
        due = self.due(time_ms)
        self._events.append(event)
        return due

    def due(self, time_ms: int) -> bytes | None:
        """Return the difference of an interval that is over, if one waits; a malformed one is dropped with its kin."""
        bucket = time_ms // self._interval_ms
        if bucket == self._bucket:
            return None
        self._bucket = bucket
        events, self._events = self._events, []
        if not events:
            return None
        try:
            return merged_depth(events)
        except (msgspec.DecodeError, KeyError, TypeError, ValueError):
            return None

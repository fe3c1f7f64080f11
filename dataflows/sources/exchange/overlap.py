"""Replacing a connection without a hole and without a frame twice: what an old and a new one both bring is told apart.

While both run, the old one's frames go on and the new one's wait. From the change on the new one's frames follow that
are newer than the old one's last of the same stream, by the id that the venue gives events of that stream. The new one
may be the slower of the two, so what it brings after the change is looked at as well, until its streams are past.
"""

import re

#: The id by which events of a stream grow, by the name of the event. What has none is compared by its time.
_IDS = {
    b"depthUpdate": re.compile(rb'"u":(\d+)'), b"bookTicker": re.compile(rb'"u":(\d+)'),
    b"aggTrade": re.compile(rb'"a":(\d+)'), b"trade": re.compile(rb'"t":(\d+)'),
}
_TIME = re.compile(rb'"E":(\d+)')
_EVENT = re.compile(rb'"e":"(\w+)"')
_STREAM = b'{"stream":"'
#: Frames of the new connection that may wait.
MOST_WAITING = 200_000


class Overlap:
    """The time in which two connections bring the same streams."""

    def __init__(self) -> None:
        self._last: dict[bytes, bytes] = {}
        self._last_ids: dict[bytes, int] = {}
        self._waiting: list[bytes] = []

    def note(self, payload: bytes) -> None:
        """Take notice of a frame of the old connection."""
        self._last[stream_of(payload)] = payload

    def hold(self, payload: bytes) -> bool:
        """Keep a frame of the new connection; tell whether there was room."""
        if len(self._waiting) >= MOST_WAITING:
            return False
        self._waiting.append(payload)
        return True

    def remainder(self) -> list[bytes]:
        """Return what the new connection has brought beyond the old one, in its order: this is the change."""
        self._last_ids = {stream: event_id(payload) for stream, payload in self._last.items()}
        waiting, self._waiting = self._waiting, []
        return [payload for payload in waiting if self.is_new(payload)]

    def is_new(self, payload: bytes) -> bool:
        """Tell whether a frame that the new connection brings after the change is none that the old one has brought."""
        if not self._last_ids:
            return True
        stream = stream_of(payload)
        last = self._last_ids.get(stream)
        if last is None:
            return True
        if event_id(payload) <= last:
            return False
        del self._last_ids[stream]
        return True


def stream_of(payload: bytes) -> bytes:
    """Return the name of a frame's stream; empty where it is in no envelope."""
    start = len(_STREAM)
    return payload[start : payload.find(b'"', start)] if payload.startswith(_STREAM) else b""


def event_id(payload: bytes) -> int:
    """Return the number by which events of a stream grow; 0 where there is none."""
    name = _EVENT.search(payload)
    found = _IDS.get(name[1], _TIME).search(payload) if name else None
    return int(found[1]) if found else 0

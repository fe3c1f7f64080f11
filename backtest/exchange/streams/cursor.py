"""Lockstep: a tape played to one connection from its own place, each frame behind a marker of where it stands.

Before every frame goes a WebSocket ping whose payload is `<receive ns> <line>`; where the connection has no frame for
100 ms of tape time, a ping alone tells how far the tape is; `<receive ns> <line> end` is the last. Ordinary clients
answer pings and never see them. The tape goes as fast as the client reads. Every depth stream gets every recorded
difference, unmerged, and nothing is made up, so that what arrives is the tape. What a recorder has polled comes too,
under the name `<symbol>@openInterest`.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Final

from backtest.exchange.streams.connection import Connection
from backtest.exchange.streams.faults import NoStreamFaults, StreamFaults
from backtest.exchange.streams.framing import ping_frame, text_frame, wrapped
from backtest.exchange.streams.hub import Subscriber
from backtest.exchange.streams.recorded import polled, recorded
from dataflows.deadletters import DeadLetter
from dataflows.tapes.frames import Frame

#: Tape time after which a marker is sent without a frame.
MARKER_EVERY_NS: Final = 100_000_000
#: Bytes that may wait in a connection before its cursor does.
_MOST_WAITING: Final = 256 * 1024
_LINES_A_SLICE: Final = 256
_WAIT_S: Final = 0.0005

#: Returns the tape's items after a line.
Items = Callable[[int], Iterable[Frame | DeadLetter]]


class TapeCursor:
    """Plays a tape to connections; each call of it is one connection's own."""

    def __init__(self, items: Items, faults: StreamFaults | None = None) -> None:
        self._items = items
        self._faults = faults or NoStreamFaults()

    async def __call__(self, subscriber: Subscriber, after_line: int) -> None:
        """Play the tape to a connection from behind a line to its end; to be cancelled when the connection ends."""
        connection, time_ns, line, marked_ns = subscriber.connection, 0, after_line, 0
        for number, item in enumerate(self._items(after_line)):
            if isinstance(item, Frame):
                time_ns, line = item.receive_time_ns, item.sequence
                if self._send(subscriber, item):
                    marked_ns = time_ns
                elif time_ns - marked_ns >= MARKER_EVERY_NS:
                    connection.send(ping_frame(b"%d %d" % (time_ns, line)))
                    marked_ns = time_ns
            if number % _LINES_A_SLICE == 0:
                connection.flush()
                await self._room(subscriber)
        connection.send(ping_frame(b"%d %d end" % (time_ns, line)))
        connection.flush()

    def _send(self, subscriber: Subscriber, frame: Frame) -> bool:
        """Send a frame behind its markers; tell whether the connection wants it."""
        event = recorded(frame)
        if event is None:
            return self._send_polled(subscriber, frame)
        names = [name for name in event.names if subscriber.wants(name)]
        if not names or self._faults.swallows(event):
            return False
        marker = _marker(frame)
        for name in names:
            data = self._faults.spoiled(event.symbol, event.data) if event.event == "depthUpdate" else event.data
            data = wrapped(name.encode(), data) if subscriber.subscriptions.combined else data
            subscriber.connection.send(marker + text_frame(data))
        return True

    @staticmethod
    def _send_polled(subscriber: Subscriber, frame: Frame) -> bool:
        """Send what a recorder has polled, without an envelope as it was recorded, to a connection that names it."""
        if polled(frame) not in subscriber.subscriptions.names:
            return False
        subscriber.connection.send(_marker(frame) + text_frame(frame.payload))
        return True

    @staticmethod
    async def _room(subscriber: Subscriber) -> None:
        await asyncio.sleep(0)
        connection = subscriber.connection
        while _is_full(connection):  # noqa: ASYNC110  # a transport tells only its protocol
            await asyncio.sleep(_WAIT_S)


def _marker(frame: Frame) -> bytes:
    return ping_frame(b"%d %d" % (frame.receive_time_ns, frame.sequence))


def _is_full(connection: Connection) -> bool:
    return connection.unsent_bytes > _MOST_WAITING and connection.closing is None

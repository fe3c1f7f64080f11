"""One client's WebSocket connection: what waits to be written to it, how much may, and how long it may live.

Messages are framed by whoever publishes them and shared between connections, so that one event costs each further
reader an append and a part of one write. What is unsent is bounded: a client that does not read is cut off.
"""

from dataclasses import dataclass
from typing import Final, Protocol

from backtest.exchange.streams.framing import ping_frame

#: Unsent bytes after which a reader counts as too slow.
MOST_UNSENT_BYTES: Final = 8 * 1024 * 1024
POLICY_VIOLATION: Final = 1008
GOING_AWAY: Final = 1001


class Transport(Protocol):
    """The part of an asyncio transport that is used here."""

    def write(self, data: bytes) -> None:
        """Send bytes, or keep them until the socket takes them."""

    def get_write_buffer_size(self) -> int:
        """Return how many bytes are kept."""
        ...

    def is_closing(self) -> bool:
        """Tell whether nothing more can be sent."""
        ...

    def abort(self) -> None:
        """Close at once and forget what is kept."""


@dataclass(frozen=True, slots=True)
class Lifetime:
    """How long connections live and how they are kept alive, in seconds of a steady clock."""

    ping_every_s: float = 180.0
    pong_within_s: float = 600.0
    longest_s: float = 86_400.0


class Connection:
    """Messages on their way to one client. Not the subscriptions: those are the business of what it is used for."""

    def __init__(self, transport: Transport, now_s: float, most_unsent_bytes: int = MOST_UNSENT_BYTES) -> None:
        self._transport = transport
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0
        self._most_unsent_bytes = most_unsent_bytes
        self._opened_s = self._pinged_s = self._ponged_s = now_s
        self.closing: tuple[int, bytes] | None = None

    def send(self, frame: bytes) -> None:
        """Put a framed message behind those that wait; `flush` writes them."""
        if self.closing is None:
            self._waiting.append(frame)
            self._waiting_bytes += len(frame)
            if self._waiting_bytes > self._most_unsent_bytes:
                self.cut_off(POLICY_VIOLATION, b"reads too slowly")

    def flush(self) -> None:
        """Write what waits; cut off a client that has left too much unread."""
        waiting, self._waiting, self._waiting_bytes = self._waiting, [], 0
        if self.closing is not None or not waiting or self._transport.is_closing():
            return
        self._transport.write(b"".join(waiting))
        if self._transport.get_write_buffer_size() > self._most_unsent_bytes:
            self.cut_off(POLICY_VIOLATION, b"reads too slowly")

    def cut_off(self, code: int, reason: bytes) -> None:
        """Mark for closing, and forget what waits."""
        self.closing = self.closing or (code, reason)
        self._waiting, self._waiting_bytes = [], 0

    def abort(self) -> None:
        """Break the connection off; what was not sent is gone."""
        self._transport.abort()

    @property
    def unsent_bytes(self) -> int:
        """Return how much the client has not taken yet."""
        return self._waiting_bytes + self._transport.get_write_buffer_size()

    def ponged(self, now_s: float) -> None:
        """Note a sign of life."""
        self._ponged_s = now_s

    def keep_alive(self, now_s: float, lifetime: Lifetime, payload: bytes) -> None:
        """Send a ping where one is due; cut off a client that is silent or has been here for its whole life."""
        if now_s - self._opened_s >= lifetime.longest_s:
            self.cut_off(GOING_AWAY, b"a connection lives 24 hours")
        elif self._pinged_s > self._ponged_s and now_s - self._ponged_s >= lifetime.pong_within_s:
            self.cut_off(POLICY_VIOLATION, b"no pong")
        elif now_s - self._pinged_s >= lifetime.ping_every_s:
            self._pinged_s = now_s
            self.send(ping_frame(payload))

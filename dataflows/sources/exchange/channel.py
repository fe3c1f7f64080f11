"""A connection that never ends: opened again whenever it is lost, replaced before the exchange would end it.

What was lost with a connection is not made up for, it is told: a dead letter SEQUENCE_GAP stands in the stream where
the hole is, and the books behind it are taken anew.
"""

import asyncio
import logging
from collections.abc import Callable

from dataflows.deadletters import DeadLetter, DeadLetterReason
from dataflows.metrics import SOURCE_CONNECTIONS, SOURCE_DISCONNECTS, SOURCE_OVERFLOWS
from dataflows.sources.exchange.backoff import Backoff
from dataflows.sources.exchange.connection import Connection
from dataflows.sources.exchange.handoff import Handoff
from dataflows.sources.exchange.overlap import Overlap
from dataflows.sources.exchange.streams import DEPTH, KIND_LETTERS, ConnectionPlan
from dataflows.sources.exchange.watchdog import Watchdog

_LOG = logging.getLogger(__name__)
#: How often a connection is looked at, and how often a full queue.
LOOK_S, FULL_S = 0.25, 0.01
#: Where the name of a stream begins in a frame of a combined stream, and how far it is looked for.
_NAME_AT, _NAME_END = 11, 80

OnDepth = Callable[[bytes, bytes], None]


class Channel:
    """The frames of one plan, for ever. `on_depth` is given the lower-case symbol and the frame of each difference."""

    def __init__(
        self, plan: ConnectionPlan, handoff: Handoff, backoff: Backoff, on_depth: OnDepth, *,
        life_s: float, overlap_s: float, steady_s: float, now_s: Callable[[], float],
    ) -> None:
        """`steady_s` is the age at which a connection counts as a success, so that pauses begin short again."""
        self._plan, self._handoff, self._backoff, self._on_depth = plan, handoff, backoff, on_depth
        self._life_s, self._overlap_s, self._steady_s, self._now_s = life_s, overlap_s, steady_s, now_s
        self._overlap: Overlap | None = None
        self._changed: Overlap | None = None
        self._old: Connection | None = None
        self._watchdog = Watchdog({}, 0.0)

    async def run(self) -> None:
        """Keep the connection, until cancelled."""
        while True:
            while not self._handoff.roomy:  # noqa: ASYNC110  # another thread makes room, and knows no loop
                await asyncio.sleep(FULL_S)
            try:
                connection = await self._open()
            except ConnectionError as error:
                _LOG.warning("%s cannot be opened: %s", self._plan.name, error)
            else:
                await self._live(connection)
            await asyncio.sleep(self._backoff.next_s())

    def on_message(self, connection: Connection, payload: bytes) -> None:
        """Forward a frame, or hold it back while the connection that it replaces still runs."""
        if self._overlap is None:
            if self._changed is None or self._changed.is_new(payload):
                self._forward(connection, payload)
        elif connection is self._old:
            self._overlap.note(payload)
            self._forward(connection, payload)
        elif not self._overlap.hold(payload):
            connection.close("the frames of the overlap were too many")

    def on_ping(self, connection: Connection, payload: bytes) -> None:
        """Do nothing: a PING of the exchange only asks for its answer."""

    def _forward(self, connection: Connection, payload: bytes) -> None:
        if not self._handoff.put(payload):
            SOURCE_OVERFLOWS.inc()
            connection.close("the flow was too slow: its queue was full")
            return
        at = payload.find(b"@", _NAME_AT, _NAME_END)
        kind = payload[at + 1 : at + 1 + KIND_LETTERS]
        self._watchdog.heard.add(kind)
        if kind == DEPTH:
            self._on_depth(payload[_NAME_AT:at], payload)

    async def _open(self) -> Connection:
        connection = await Connection.open(self._plan.url(), self)
        SOURCE_CONNECTIONS.inc()
        return connection

    async def _live(self, connection: Connection) -> None:
        """Stay with a connection and those that replace it, until one is lost."""
        opened_s = self._now_s()
        try:
            while (successor := await self._until_replaced(connection)) is not None:
                connection = successor
        finally:
            self._changed = None
            await connection.end("the feed was stopped")
        if self._now_s() - opened_s >= self._steady_s:
            self._backoff.reset()
        self._tell_loss(await connection.closed())

    async def _until_replaced(self, connection: Connection) -> Connection | None:
        """Return the connection that replaces this one, or None once this one is over."""
        self._watchdog = Watchdog(self._plan.silence_s, self._now_s())
        began_s = self._now_s()
        replace_at_s = began_s + self._life_s
        ended = asyncio.ensure_future(connection.closed())
        while not ended.done():
            await asyncio.wait({ended}, timeout=LOOK_S)
            if self._now_s() - began_s >= self._overlap_s:
                self._changed = None
            if silent := self._watchdog.silent(self._now_s()):
                connection.close(silent)
            elif self._now_s() >= replace_at_s:
                if (successor := await self._replaced(connection, ended)) is not None:
                    return successor
                replace_at_s = self._now_s() + self._backoff.next_s()
        return None

    async def _replaced(self, old: Connection, old_ended: "asyncio.Future[str]") -> Connection | None:
        """Let a new connection take over from an old one; None where the new one could not be had."""
        self._old, self._overlap = old, Overlap()
        new: Connection | None = None
        try:
            new = await self._open()
            new_ended = asyncio.ensure_future(new.closed())
            await asyncio.wait({old_ended, new_ended}, timeout=self._overlap_s, return_when=asyncio.FIRST_COMPLETED)
            return None if new_ended.done() else self._change(old, new)
        except ConnectionError as error:
            _LOG.warning("%s cannot be replaced: %s", self._plan.name, error)
            return None
        finally:
            if self._overlap is not None and new is not None:
                await new.end("not needed")
            self._overlap = None

    def _change(self, old: Connection, new: Connection) -> Connection:
        """Close the old connection and go on with what the new one has brought beyond it."""
        assert self._overlap is not None
        self._changed, self._overlap = self._overlap, None
        old.close("replaced")
        for payload in self._changed.remainder():
            self._forward(new, payload)
        return new

    def _tell_loss(self, reason: str) -> None:
        SOURCE_DISCONNECTS.inc()
        _LOG.warning("%s is lost: %s", self._plan.name, reason)
        self._handoff.put_last(gap(f"{self._plan.name}: {reason}", self._handoff.stamp_ns()))


def gap(what: str, time_ns: int) -> DeadLetter:
    """Return the dead letter that stands where a live stream has a hole."""
    message = f"a live stream must be without holes, was broken: {what}"
    return DeadLetter(DeadLetterReason.SEQUENCE_GAP, message, 0, time_ns, b"")

"""The feed in lock-step: a tape that a simulated exchange serves, put back into the order and times of its recording.

Each connection is told by markers which line its next frame has. Depth snapshots are asked for beforehand, the latest
first and then backwards, and stand at the lines that their answers name. So the frames are those of the tape itself,
but for kinds that were not subscribed to, and a run can go on after any line. Open interest, which is polled elsewhere,
comes as a stream here, for a request would be answered with what the tape held at no time in particular.
"""

import asyncio
import logging
from collections.abc import Callable

from dataflows.metrics import SOURCE_CONNECTIONS, SOURCE_SNAPSHOTS
from dataflows.sources.exchange.backoff import Backoff, Draw
from dataflows.sources.exchange.clock import Marker, read_marker
from dataflows.sources.exchange.connection import Connection
from dataflows.sources.exchange.handoff import FeedEnd, Handoff
from dataflows.sources.exchange.marked_frames import MarkedFrames
from dataflows.sources.exchange.rest_client import Answer, NoAnswerError, RestClient
from dataflows.sources.exchange.snapshots import fetch_snapshot
from dataflows.sources.exchange.streams import ConnectionPlan, depth_instruments, plan_connections
from dataflows.sources.exchange.weight_budget import WeightBudget
from dataflows.tapes.frames import Frame
from sluice.config.market_source import ExchangeSourceSettings
from sluice.errors import InputError
from sluice.instruments import Instrument, InstrumentCatalog

_LOG = logging.getLogger(__name__)
#: Frames of one connection that may wait for the others before it is no longer read.
MOST_WAITING = 5_000
FULL_S, LOOK_S = 0.002, 0.25
#: No tape has so many lines, and an exchange reads so many digits: asks for the latest snapshot of all.
_LAST_LINE = 10**18 - 1
#: The latest snapshot is known once the exchange has read its whole tape.
REQUEST_TIMEOUT_S = 600.0
_NOT_IN_LOCKSTEP = InputError(
    "an exchange in lock-step must say the line of each frame before it, did not",
    fix="serve it with --pace lockstep, or set source.exchange.clock to system")


class LockstepFeed:
    """Reads a tape from a simulated exchange into a queue, up to its end."""

    def __init__(
        self, settings: ExchangeSourceSettings, catalog: InstrumentCatalog, handoff: Handoff, *, after_line: int,
        now_s: Callable[[], float], draw: Draw,
    ) -> None:
        """`after_line` is the last line that was read before, 0 for none."""
        self._settings, self._catalog, self._handoff, self._after = settings, catalog, handoff, after_line
        self._now_s, self._draw = now_s, draw
        self._plans = plan_connections(settings, catalog)
        self._frames = MarkedFrames(0)
        self._open: dict[int, Connection] = {}
        self._paused: set[int] = set()
        self._full = False

    async def run(self) -> None:
        """Read to the end. Raises `InputError` where the exchange is not in lock-step."""
        budget = WeightBudget(self._settings.request_weight)
        snapshots: list[Frame] = []
        async with RestClient(self._settings, budget, now_s=self._now_s, timeout_s=REQUEST_TIMEOUT_S) as client:
            for instrument in depth_instruments(self._settings, self._catalog):
                snapshots += await self._snapshots(client, instrument)
        SOURCE_SNAPSHOTS.inc(len(snapshots))
        self._frames = MarkedFrames(len(self._plans), snapshots)
        async with asyncio.TaskGroup() as tasks:
            reading = [tasks.create_task(self._read(number, plan)) for number, plan in enumerate(self._plans)]
            tasks.create_task(self._make_room(reading))
        self._handoff.put_last(FeedEnd())

    async def _snapshots(self, client: RestClient, instrument: Instrument) -> list[Frame]:
        """Return every snapshot of an instrument that the tape holds after the line to go on from.

        An answer that names no line is of the exchange's own making: the tape holds none.
        """
        found: list[Frame] = []
        before = _LAST_LINE
        while (snapshot := await self._snapshot(client, instrument, before)) is not None:
            if not self._after < snapshot.line <= before:
                break
            found.append(Frame(snapshot.line, snapshot.receive_time_ns, snapshot.payload, instrument.symbol))
            before = snapshot.line - 1
        return found

    async def _snapshot(self, client: RestClient, instrument: Instrument, before: int) -> Answer | None:
        """Return the latest snapshot at or before a line, or None where the exchange knows of none."""
        backoff = self._backoff()
        while True:
            try:
                return (await fetch_snapshot(client, instrument, before)).answer
            except NoAnswerError as error:
                if error.status in {400, 404}:
                    return None
                _LOG.warning("%s", error.message)
            await asyncio.sleep(backoff.next_s())

    async def _read(self, number: int, plan: ConnectionPlan) -> None:
        """Read one connection to its end, opening it again where it is lost."""
        backoff = self._backoff()
        while not self._frames.has_ended(number):
            after = self._frames.restart(number)
            try:
                connection = await Connection.open(
                    plan.url(self._after if after is None else after), _Input(self, number))
            except ConnectionError as error:
                _LOG.warning("%s cannot be opened: %s", plan.name, error)
            else:
                SOURCE_CONNECTIONS.inc()
                backoff.reset()
                await self._until_lost(number, plan, connection)
            if not self._frames.has_ended(number):
                await asyncio.sleep(backoff.next_s())

    async def _until_lost(self, number: int, plan: ConnectionPlan, connection: Connection) -> None:
        self._open[number] = connection
        ended = asyncio.ensure_future(connection.closed())
        try:
            while not ended.done() and not self._frames.has_ended(number):
                await asyncio.wait({ended}, timeout=LOOK_S)
                self._raise_where_unmarked(connection)
        finally:
            del self._open[number]
            await connection.end("the feed was stopped")
        if not self._frames.has_ended(number):
            _LOG.warning("%s is lost: %s", plan.name, await ended)

    def _raise_where_unmarked(self, connection: Connection) -> None:
        if connection.reason == _NOT_IN_LOCKSTEP.message:
            raise _NOT_IN_LOCKSTEP

    def take(self, number: int, connection: Connection, payload: bytes) -> None:
        """Take a frame of a connection."""
        if not self._frames.add(number, payload):
            connection.close(_NOT_IN_LOCKSTEP.message)
        elif self._frames.waiting(number) >= MOST_WAITING:
            self._pause(number, connection)

    def mark(self, number: int, connection: Connection, marker: Marker) -> None:
        """Move a connection on, and let through what that makes certain."""
        self._frames.mark(number, marker)
        ready = self._frames.release()
        if ready and not self._handoff.put_stamped(ready):
            self._full = True
        if self._full:
            self._pause(number, connection)
        elif ready and self._paused:
            self._resume()

    async def _make_room(self, reading: "list[asyncio.Task[None]]") -> None:
        """Read on when the flow has emptied half of a queue that was full, for as long as there is something to read.

        Another thread empties it, and knows no loop.
        """
        while not all(task.done() for task in reading):
            await asyncio.sleep(FULL_S)
            if self._full and self._handoff.roomy:
                self._full = False
                self._resume()

    def _pause(self, number: int, connection: Connection) -> None:
        self._paused.add(number)
        connection.pause()

    def _resume(self) -> None:
        for number in [number for number in self._paused if self._frames.waiting(number) < MOST_WAITING]:
            self._paused.discard(number)
            if (connection := self._open.get(number)) is not None:
                connection.resume()

    def _backoff(self) -> Backoff:
        return Backoff(self._settings.reconnect_ms / 1000, self._settings.reconnect_most_ms / 1000, self._draw)


class _Input:
    """A connection's place among the others."""

    def __init__(self, feed: LockstepFeed, number: int) -> None:
        self._feed, self._number = feed, number

    def on_message(self, connection: Connection, payload: bytes) -> None:
        """Hand a frame to the feed."""
        self._feed.take(self._number, connection, payload)

    def on_ping(self, connection: Connection, payload: bytes) -> None:
        """Hand a marker to the feed; an ordinary PING is none."""
        if (marker := read_marker(payload)) is not None:
            self._feed.mark(self._number, connection, marker)

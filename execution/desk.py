"""The desk: the one writer that carries out commands, in the order journal, venue, journal, publication.

What it holds to: nothing is sent that is not journalled, nothing is answered or published that is not journalled, and
what the venue did not answer is UNKNOWN. If the journal fails, or a bug shows, the desk stops for good (`failed`): the
process must then end and recover, because its memory may know more or less than the journal.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import psycopg

from execution import metrics
from execution.codec import write_report
from execution.domain import OrderState
from execution.feed import ReportFeed
from execution.ledger import Draft, Ledger
from execution.state_machine import Occurrence
from execution.stores import OrderJournal
from execution.venues.interface import SimulatedTime, Venue, VenueEvent, VenueEventKind, VenueOutcomeUnknown
from sluice.clock import Clock, EventClock, observe
from sluice.errors import InputError, InvariantError, NotFoundError, NotRunningError, SluiceError
from sluice.orders import OrderStatus, ReportKind

_log = logging.getLogger("execution.desk")
Answer = TypeVar("Answer")
#: Events that change, or will change, what the account holds.
_MOVES_THE_ACCOUNT = frozenset({VenueEventKind.ACCEPTED, VenueEventKind.FILL})


@dataclass(frozen=True, slots=True)
class Tools:
    """What the desk works with."""

    venue: Venue
    journal: OrderJournal
    ledger: Ledger
    feed: ReportFeed
    clock: Clock


class Desk:
    """Serialises commands and keeps ledger, journal and feed in step."""

    def __init__(self, tools: Tools) -> None:
        self.ledger = tools.ledger
        self.feed = tools.feed
        self.venue = tools.venue
        self.failed = asyncio.Event()
        #: Why the venue's account cannot be trusted to be as the ledger has it; empty where it can.
        self.doubt = ""
        self._journal = tools.journal
        self._clock = tools.clock
        self._writing = asyncio.Lock()
        self._knows_time = not self.in_event_time
        self._tasks: set[asyncio.Task[Any]] = set()

    def now_ns(self) -> int:
        """Return the time that approvals are judged by: of the last tick in a replay, else the machine's."""
        return self._clock.now_ns()

    @property
    def in_event_time(self) -> bool:
        """Tell whether time is that of the events."""
        return isinstance(self._clock, EventClock)

    def sending_time_ns(self) -> int:
        """Return the event time of what is sent now.

        In event time that is one nanosecond after the tick on which it was decided, so that reports up to the tick
        never hold the tick's own orders, however often the tick is replayed.
        """
        return self._clock.now_ns() + (1 if self.in_event_time else 0)

    def require_time(self) -> None:
        """Raise `NotRunningError` where time is that of the events and nobody has told it since the start.

        The time in the journal may be earlier than it was (see `execution.journal`), and nothing may be sent at a time
        that is over.
        """
        if not self._knows_time:
            raise NotRunningError("execution must be told the event time after its start, was not",
                                  fix="call SimulationService.AdvanceTo, then repeat the command")

    async def exclusively(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        """Run a command alone and to its end, even where the caller goes away in the middle."""
        task = asyncio.ensure_future(self._alone(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return await asyncio.shield(task)

    async def finish(self) -> None:
        """Return when every command that was begun has ended."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def commit(self, draft: Draft) -> None:
        """Journal a draft, then remember and publish it.

        Raises `AlreadyUsedError`, and `NotRunningError` where the journal fails: then this desk has stopped.
        """
        if not draft:
            return
        try:
            await self._journal.write(draft)
        except psycopg.Error as error:
            self.failed.set()
            raise NotRunningError(f"the journal must take every report, and did not: {error}") from error
        self.ledger.commit(draft)
        self.feed.publish([write_report(report).SerializeToString(deterministic=True) for report in draft.reports])
        self._measure(draft)

    async def follow(self, first: int) -> AsyncIterator[bytes]:
        """Yield every report from a sequence on, for ever.

        Raises `NotRunningError` where the journal cannot be read: then this desk has stopped, because a connection that
        is gone does not come back, and nobody may be writing to notice it.
        """
        try:
            async for report in self.feed.follow(first):
                yield report
        except psycopg.Error as error:
            self.failed.set()
            raise NotRunningError(f"the journal must be readable, and was not: {error}") from error

    async def send(self, order: OrderState) -> None:
        """Send an order that is journalled, and journal the answer."""
        await self.ask(order.client_order_id, lambda: self.venue.submit(order.request, order.created_at_ns))

    async def ask(self, client_order_id: str, request: Callable[[], Awaitable[Sequence[VenueEvent]]]) -> None:
        """Ask the venue about an order and journal the answer, or UNKNOWN where there is none."""
        draft = Draft(self.ledger)
        draft.sent(client_order_id)
        try:
            events = await request()
        except Exception as error:  # noqa: BLE001  # whatever went wrong, the order may be at the venue
            if not isinstance(error, VenueOutcomeUnknown):
                _log.exception("the venue's client failed on %s", client_order_id)
            draft.occur(client_order_id, Occurrence(
                ReportKind.UNKNOWN, self.sending_time_ns(), message=str(error) or type(error).__name__))
            events = ()
        self.take(draft, events)
        await self.commit(draft)

    def take(self, draft: Draft, events: Sequence[VenueEvent]) -> None:
        """Add a venue's events to a draft; those that cannot be are logged and left out."""
        for event in events:
            if event.kind is VenueEventKind.ALARM:
                self.distrust(event.message)
                continue
            try:
                draft.occur(event.client_order_id, occurrence_of(event))
            except (InputError, NotFoundError) as error:
                metrics.EVENTS_LEFT_OUT.inc()
                _log.error("the venue's event is left out: %s (%s)", error, event)
                if event.kind in _MOVES_THE_ACCOUNT:
                    self.distrust(f"{event.kind.name} of {event.client_order_id[:64]} must be one of an order of ours, "
                                  f"was not: {error}")
        for state in draft.orders.values():
            if state.excess_quantity:
                self.distrust(f"{state.client_order_id} was filled {state.excess_quantity} beyond its quantity")

    def distrust(self, reason: str) -> None:
        """Send nothing that could grow a position from now on, because the account is not as the ledger has it.

        Only a start that finds account and journal in agreement ends this.
        """
        metrics.ACCOUNT_DIFFERS.set(1)
        if reason != self.doubt:
            _log.critical("only orders that reduce a position are sent from now on: %s", reason)
        self.doubt = self.doubt or reason

    async def hear(self, events: Sequence[VenueEvent]) -> None:
        """Journal what a venue told by itself."""
        draft = Draft(self.ledger)
        self.take(draft, events)
        await self.commit(draft)

    async def advance(self, venue: SimulatedTime, event_time_ns: int) -> int:
        """Move a simulated venue to a time and return the last report up to then; going back only answers."""
        if not self.in_event_time or event_time_ns > self._clock.now_ns():
            await self.play(venue, event_time_ns)
            await self._keep_time(event_time_ns)
        self._knows_time = True
        return self.ledger.sequence_until(event_time_ns)

    async def play(self, venue: SimulatedTime, event_time_ns: int) -> None:
        """Play a simulated venue up to a time and journal what happened."""
        try:
            events = await venue.advance_to(event_time_ns)
        except Exception as error:
            # It may have lost events on the way; only a rebuild can tell.
            raise InvariantError(f"the simulated venue must play its market, and failed: {error}") from error
        await self.hear(events)

    def _measure(self, draft: Draft) -> None:
        for report in draft.reports:
            metrics.REPORTS.labels(report.kind.name).inc()
            if report.status is not None and report.status.final:
                metrics.FINAL_ORDERS.labels(report.status.name).inc()
        still_open = self.ledger.open_orders()
        metrics.OPEN_ORDERS.set(len(still_open))
        metrics.UNKNOWN_ORDERS.set(sum(1 for order in still_open if order.status is OrderStatus.UNKNOWN))

    async def _keep_time(self, event_time_ns: int) -> None:
        if not self.in_event_time:
            return
        try:
            await self._journal.write_time(event_time_ns)
        except psycopg.Error as error:
            self.failed.set()
            raise NotRunningError(f"the journal must take the time, and did not: {error}") from error
        observe(self._clock, event_time_ns)

    async def _alone(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        async with self._writing:
            if self.failed.is_set():
                work.close()
                raise NotRunningError("execution must be restarted, because it has failed")
            try:
                return await work
            except Exception as error:
                # What a person can act on leaves memory as it was; after a bug nobody knows what memory is worth.
                if isinstance(error, InvariantError) or not isinstance(error, SluiceError):
                    self.failed.set()
                raise


def occurrence_of(event: VenueEvent) -> Occurrence:
    """Return a venue's event as a fact about its order."""
    return Occurrence(
        ReportKind(event.kind.value), event.event_time_ns, event.fill, event.venue_order_id, event.message)



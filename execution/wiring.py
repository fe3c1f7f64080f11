"""Puts the execution service together: stores, venue, gate, desk, gRPC; starts it, recovers, and serves.

Recovery comes before SERVING: the journal is read, its commands are laid before the venue, and what the venue answers
is journalled. If the journal fails later, or a bug shows, the process ends, so that whoever supervises it restarts it.
"""

import asyncio
import logging
import secrets
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from importlib.metadata import entry_points
from typing import Any

import redis.asyncio

from execution.account_check import AccountCheck
from execution.cancellation import Cancellation
from execution.desk import Desk, Tools
from execution.domain import ExecutionReport
from execution.feed import ReportFeed
from execution.gate import ApprovalGate, Keys
from execution.identity import JournalIdentity
from execution.journal import Journal
from execution.ledger import Ledger
from execution.listening import Listening, Patience
from execution.nonces import Incarnation, NonceStore
from execution.recovery import Recovery, commands_of, journalled_commands
from execution.service import ExecutionServicer, Handlers, SimulationServicer
from execution.submission import Submission
from execution.venues.interface import AccountView, EventStream, SimulatedTime, Venue, VenueCommand, VenueFactory
from sluice.clock import Clock, EventClock, SystemClock
from sluice.config.loading import catalog_of, public_key_directory
from sluice.config.settings import Settings
from sluice.envelope import ExpectedAudience
from sluice.errors import ConfigurationError, NotRunningError
from sluice.execution.v1 import execution_pb2_grpc as services
from sluice.instruments import InstrumentCatalog
from sluice.keys import load_public_keys
from sluice.rpc import Registration, ServerShell
from sluice.stores.embedded import StoreUrls
from sluice.stores.migrations import migrate
from sluice.stores.postgres import schema_of
from sluice.stores.redis import connect_async, ensure_reachable

_log = logging.getLogger("execution.wiring")
VENUES = "sluice.venues"


class ExecutionServer:
    """The running service. `start`, then `run_until_stopped` or `close`."""

    def __init__(self, settings: Settings, urls: StoreUrls, venue: Venue | None = None) -> None:
        """Describe the service. `venue`: in place of the configured one."""
        self._settings = settings
        self._urls = urls
        self._given_venue = venue
        self._open = AsyncExitStack()
        self._shell: ServerShell | None = None
        self._desk: Desk | None = None

    async def start(self) -> str:
        """Bind, recover, begin to serve; return the address. Raises `SluiceError`s and leaves nothing open then."""
        try:
            return await self._start()
        except BaseException:
            await self._open.aclose()
            raise

    async def run_until_stopped(self) -> None:
        """Serve until a signal. Raises `NotRunningError` where the desk failed."""
        assert self._shell is not None, "start comes first"
        assert self._desk is not None, "start comes first"
        stopped = asyncio.ensure_future(self._shell.run_until_stopped())
        failed = asyncio.ensure_future(self._desk.failed.wait())
        await asyncio.wait((stopped, failed), return_when=asyncio.FIRST_COMPLETED)
        broken = self._desk.failed.is_set()
        failed.cancel()
        await self.close()
        await stopped
        if broken:
            raise NotRunningError("execution must hold journal and memory together, failed to, and has stopped",
                                  fix="read its log; see that PostgreSQL runs; a restart recovers from the journal")

    async def close(self) -> None:
        """Stop serving, let what was begun end, and close everything."""
        await self._open.aclose()

    async def _start(self) -> str:
        settings, catalog = self._settings, catalog_of(self._settings)
        schema = schema_of(settings.run.namespace, "execution")
        migrate(self._urls.postgres_url, schema, "execution.migrations")
        journal = await Journal.open(self._urls.postgres_url, schema)
        self._open.push_async_callback(journal.close)
        venue = self._given_venue or load_venue(settings, catalog)
        self._open.push_async_callback(venue.close)
        ledger = Ledger()
        reports = await journal.restore(ledger, catalog)
        commands = _commands(venue, ledger, reports)
        head = await journal.head()
        clock = _clock(settings, venue, head.event_time_ns)
        feed = ReportFeed(ledger.last_sequence, journal.reports)
        desk = self._desk = Desk(Tools(venue, journal, ledger, feed, clock))
        client = await self._redis()
        namespace = settings.run.namespace
        nonces = NonceStore(client, namespace, Incarnation(head.journal_id, secrets.token_hex(8)))
        submission = Submission(desk, approval_gate(settings, catalog, clock), nonces, catalog)
        identity = JournalIdentity(client, namespace, head.journal_id)
        return await self._serve(Handlers(desk, submission, Cancellation(desk), Recovery(desk), identity), commands)

    async def _redis(self) -> redis.asyncio.Redis:
        client = connect_async(self._urls.redis_url)
        self._open.push_async_callback(client.aclose)
        await ensure_reachable(client, self._urls.redis_url)
        return client

    async def _serve(self, handlers: Handlers, commands: list[VenueCommand]) -> str:
        desk, recovery = handlers.desk, handlers.recovery
        servicer = ExecutionServicer(handlers)
        simulation = SimulationServicer(desk, desk.venue) if isinstance(desk.venue, SimulatedTime) else None
        shell = self._shell = ServerShell(
            "execution", self._settings.execution.address, registrations(servicer, simulation))
        address = await shell.start()
        self._open.push_async_callback(desk.finish)
        self._open.push_async_callback(shell.stop)
        if isinstance(desk.venue, EventStream):
            await desk.venue.start()
        await desk.exclusively(recovery.recover(commands))
        # In event time a venue's events come with the steps of its market, and nothing may depend on the machine.
        if isinstance(desk.venue, EventStream) and not desk.in_event_time:
            listening = Listening(desk, desk.venue, recovery, _patience(self._settings))
            self._run_beside(listening.listen(), listening.follow_up())
            await self._compare_accounts(desk)
        servicer.set_ready()
        if simulation is not None:
            simulation.set_ready()
        shell.set_serving(True)
        _log.info("recovered %s reports", desk.ledger.last_sequence)
        return address

    async def _compare_accounts(self, desk: Desk) -> None:
        if not isinstance(desk.venue, AccountView):
            return
        execution = self._settings.execution
        check = AccountCheck(desk, desk.venue, execution.account_question_s, accept=execution.accept_account)
        await check.at_start()
        self._run_beside(check.watch())

    def _run_beside(self, *works: Coroutine[Any, Any, None]) -> None:
        for work in works:
            task = asyncio.create_task(work)
            task.add_done_callback(self._tell_bug)
            self._open.push_async_callback(_stop, task)

    def _tell_bug(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            assert self._desk is not None, "its task was made for it"
            _log.critical("listening to the venue has ended by a bug", exc_info=error)
            self._desk.failed.set()


def _patience(settings: Settings) -> Patience:
    execution = settings.execution
    return Patience(doubt_s=execution.doubt_ms / 1000, resting_s=execution.resting_question_s)


async def _stop(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def _commands(venue: Venue, ledger: Ledger, reports: list[ExecutionReport]) -> list[VenueCommand]:
    """Return what is laid before the venue at a start: a simulated one is rebuilt from everything there ever was."""
    if isinstance(venue, EventStream):
        return commands_of(ledger.open_orders())
    return journalled_commands(ledger, reports)


def registrations(servicer: ExecutionServicer, simulation: SimulationServicer | None) -> list[Registration]:
    """Return what the server serves: time can be moved only where it is simulated."""
    found = [Registration("sluice.execution.v1.ExecutionService",
                          lambda server: services.add_ExecutionServiceServicer_to_server(servicer, server))]
    if simulation is not None:
        found.append(Registration("sluice.execution.v1.SimulationService",
                                  lambda server: services.add_SimulationServiceServicer_to_server(simulation, server)))
    return found


def load_venue(settings: Settings, catalog: InstrumentCatalog) -> Venue:
    """Return the configured venue. Raises `ConfigurationError` where none of that name is installed."""
    name = settings.execution.venue
    found = {point.name: point for point in entry_points(group=VENUES)}
    if name not in found:
        raise ConfigurationError(
            [f"execution.venue must be one of {', '.join(sorted(found)) or 'none installed'}, was {name!r}"],
            fix="choose an installed venue, or install the package that brings it")
    factory: VenueFactory = found[name].load()
    return factory.from_settings(settings, catalog)


def _clock(settings: Settings, venue: Venue, event_time_ns: int) -> Clock:
    if settings.run.clock == "system":
        return SystemClock()
    if not isinstance(venue, SimulatedTime):
        raise ConfigurationError([f"run.clock must be system for the venue {venue.name}, was event"],
                                 fix="only a simulated venue follows event time")
    return EventClock(event_time_ns)


def approval_gate(
    settings: Settings, catalog: InstrumentCatalog, clock: Clock, load_keys: Callable[[], Keys] | None = None,
) -> ApprovalGate:
    """Return the gate of the configured service. `load_keys`: in place of reading the configured key folder."""
    venues = sorted({instrument.venue.name for instrument in catalog}, reverse=True)
    audiences = [ExpectedAudience(settings.execution.execution_id, settings.account.name, venue,
                                  settings.run.environment) for venue in venues]
    directory = public_key_directory(settings)
    started_at_ns = clock.now_ns() if isinstance(clock, SystemClock) else 0
    return ApprovalGate(audiences, load_keys or (lambda: load_public_keys(directory)), started_at_ns)

"""Starts risk: connects, rebuilds the state from the journal and execution's reports, then serves until stopped.

The order matters: the epoch is counted on and published before anything is answered, and health says SERVING only when
every report that execution has is here.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Final

from risk.approvals import ApprovalIssuer, random_nonce, replayable_nonce
from risk.drop_copy import DropCopy
from risk.engine import RiskEngine
from risk.execution_client import ExecutionClient
from risk.execution_identity import ExecutionIdentity
from risk.fence import EpochFence
from risk.gate import Gate
from risk.journal import Journal
from risk.limits import limits_version
from risk.records import AuditEntry, ServiceState
from risk.recovery import restore_decisions, restore_state
from risk.service import PAGE, RiskService
from risk.stores import DecisionJournal, Executor, PublishedEpoch
from sluice.clock import Clock, EventClock, SystemClock
from sluice.config.loading import catalog_of, key_directory
from sluice.config.settings import Settings
from sluice.envelope import Signer
from sluice.errors import InvariantError, NotRunningError
from sluice.instruments import InstrumentCatalog
from sluice.keys import load_or_create_signer
from sluice.risk.v1 import risk_pb2
from sluice.risk.v1.risk_pb2_grpc import add_RiskServiceServicer_to_server
from sluice.rpc import Registration, ServerShell
from sluice.stores import redis as redis_store
from sluice.stores.embedded import StoreUrls
from sluice.stores.migrations import migrate
from sluice.stores.postgres import schema_of

SERVICE: Final = risk_pb2.DESCRIPTOR.services_by_name["RiskService"].full_name
WARN_EVERY_S: Final = 5.0
_log = logging.getLogger("risk.server")


@dataclass(frozen=True, slots=True)
class Parts:
    """What a running service consists of."""

    gate: Gate
    journal: Journal
    fence: EpochFence
    execution: ExecutionClient
    identity: ExecutionIdentity
    catalog: InstrumentCatalog


async def serve(settings: Settings, urls: StoreUrls, announce: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT; `announce` is told the bound address.

    Raises `NotRunningError` where a store or the address is not to be had, and after the journal has failed.
    """
    async with connected(settings, urls) as parts:
        counted = await recover(parts)
        service = RiskService(parts.gate, parts.journal, parts.execution)
        shell = ServerShell("risk", settings.risk.address, [
            Registration(SERVICE, lambda server: add_RiskServiceServicer_to_server(service, server))])
        announce(await shell.start())
        copy = DropCopy(settings.execution.address, parts.identity, parts.gate.reports, parts.gate.apply_arrived)
        await _run(parts.gate, copy, counted, shell)


@contextlib.asynccontextmanager
async def connected(settings: Settings, urls: StoreUrls) -> AsyncIterator[Parts]:
    """Migrate the schema, open the connections, and give the parts with an empty engine; `recover` fills it."""
    schema = schema_of(settings.run.namespace, "risk")
    await asyncio.to_thread(migrate, urls.postgres_url, schema, "risk.migrations")
    async with contextlib.AsyncExitStack() as stack:
        journal = await stack.enter_async_context(await Journal.open(urls.postgres_url, schema))
        client = redis_store.connect_async(urls.redis_url)
        stack.push_async_callback(client.aclose)
        execution = ExecutionClient(settings.execution.address)
        stack.push_async_callback(execution.close)
        fence, catalog = EpochFence(client, settings.run.namespace), catalog_of(settings)
        gate = make_gate(settings, catalog, journal, fence, execution)
        identity = ExecutionIdentity(client, settings.run.namespace)
        yield Parts(gate, journal, fence, execution, identity, catalog)


def make_gate(
    settings: Settings, catalog: InstrumentCatalog, journal: DecisionJournal, fence: PublishedEpoch,
    execution: Executor, signer: Signer | None = None,
) -> Gate:
    """Return a gate with an empty engine. `signer`: in place of the configured key."""
    replaying = settings.run.clock == "event"
    clock: Clock = EventClock() if replaying else SystemClock()
    engine = RiskEngine(catalog, settings.risk.limits, settings.account.balances, settings.source.instruments)
    nonce = replayable_nonce if replaying else random_nonce
    issuer = ApprovalIssuer(signer or load_or_create_signer(key_directory(settings)), settings, nonce)
    return Gate(engine, journal, fence, issuer, execution, clock, settings.run.namespace)


async def recover(parts: Parts) -> int:
    """Rebuild from the journal and begin a new epoch; return the sequence of the last report that had counted."""
    gate, journal = parts.gate, parts.journal
    state = await journal.state()
    restore_state(gate.engine, state)
    gate.follow(state.market.event_time_ns)
    counted, sequence = state.report_sequence, 1
    while page := await journal.decisions(sequence, PAGE):
        restore_decisions(gate.engine, page, parts.catalog)
        for record in page:
            gate.remember(record.intent_id, record.sequence)
            if record.approved:  # a refused one may lie anywhere in time
                gate.follow(record.event_time_ns)
        counted = max(counted, *(record.report_sequence for record in page))
        sequence = page[-1].sequence + 1
    await _begin_epoch(parts, state)
    return counted


async def _begin_epoch(parts: Parts, state: ServiceState) -> None:
    gate, version = parts.gate, limits_version(parts.gate.engine.limits)
    gate.risk_epoch = max(state.risk_epoch, await parts.fence.published())
    now_ns, event_time_ns = time.time_ns(), state.market.event_time_ns
    entries = [AuditEntry(event_time_ns, now_ns, "START", "risk", "the service started",
                          details=f"epoch {gate.risk_epoch + 1}")]
    if state.limits_version not in ("", version):
        entries.append(AuditEntry(event_time_ns, now_ns, "LIMITS_CHANGED", "risk", "the configuration changed",
                                  subject=version, details=f"before: {state.limits_version}"))
    await parts.journal.start(gate.risk_epoch + 1, version, entries)
    await gate.advance_epoch()


async def _run(gate: Gate, copy: DropCopy, counted: int, shell: ServerShell) -> None:
    async with asyncio.TaskGroup() as tasks:
        background = [tasks.create_task(copy.run()), tasks.create_task(_open(gate, copy, counted, shell)),
                      tasks.create_task(_stop_on_failure(gate, shell))]
        await shell.run_until_stopped()
        for task in background:
            task.cancel()
    if gate.failed.is_set():
        raise NotRunningError("the journal must be writable and whole, was not",
                              fix="see the log, check PostgreSQL, and start risk again")


async def _open(gate: Gate, copy: DropCopy, counted: int, shell: ServerShell) -> None:
    await copy.wait_caught_up()
    while gate.reports.received < counted:
        _log.warning("execution must have the %d reports that risk has counted, has %d", counted, gate.reports.received)
        with contextlib.suppress(NotRunningError):
            await gate.reports.wait_for(counted, WARN_EVERY_S)
    try:
        gate.open(counted)
    except InvariantError:
        _log.exception("execution's reports must be countable, were not")
        gate.failed.set()
        return
    shell.set_serving(True)
    _log.info("risk serves: epoch %d, %d decisions, %d reports", gate.risk_epoch, gate.last_sequence,
              gate.reports.received)


async def _stop_on_failure(gate: Gate, shell: ServerShell) -> None:
    await gate.failed.wait()
    await shell.stop()

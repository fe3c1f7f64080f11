"""What the tests of the running service share: a venue that records, an approver in risk's place, and the server."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import grpc

from execution.domain import OrderRequest
from execution.venues.interface import (
    VenueCommand,
    VenueCommandKind,
    VenueEvent,
    VenueEventKind,
    VenueFill,
    VenueOutcomeUnknown,
)
from execution.wiring import ExecutionServer
from sluice.config.settings import ExecutionSettings, RunSettings, Settings, SourceSettings
from sluice.envelope import MAX_LIFETIME_NS, SCHEMA_VERSION, client_order_id
from sluice.execution.v1 import execution_pb2 as messages
from sluice.execution.v1.execution_pb2_grpc import ExecutionServiceStub, SimulationServiceStub
from sluice.instruments import Instrument
from sluice.keys import load_or_create_signer
from sluice.risk.v1 import order_pb2
from sluice.risk.v1.approval_pb2 import Approval, Audience, SignedApproval
from sluice.risk.v1.order_pb2 import Order
from sluice.rpc import aio_channel
from sluice.stores.embedded import StoreUrls
from sluice.stores.redis import connect_sync

if TYPE_CHECKING:  # these two are in the type stubs alone
    from sluice.execution.v1.execution_pb2_grpc import ExecutionServiceAsyncStub, SimulationServiceAsyncStub

START_NS = 1_700_000_000_000_000_000
LATENCY_NS = 5_000_000


class RecordingVenue:
    """A venue that accepts what it gets and remembers it. Fills are arranged by the test, in event time."""

    name = "recording"

    def __init__(self) -> None:
        self.submitted: list[str] = []
        self.cancelled: list[str] = []
        self.unknown: set[str] = set()
        self.lost: set[str] = set()
        self.arranged: list[VenueEvent] = []
        self._events: dict[str, list[VenueEvent]] = {}
        self._now_ns = 0

    async def submit(self, request: OrderRequest, sent_at_ns: int) -> list[VenueEvent]:
        identity = request.client_order_id
        if identity in self.lost:
            raise VenueOutcomeUnknown("connection reset")
        self.submitted.append(identity)
        accepted = VenueEvent(VenueEventKind.ACCEPTED, identity, sent_at_ns + LATENCY_NS, f"v-{identity}")
        self._events.setdefault(identity, []).append(accepted)
        if identity in self.unknown:
            raise VenueOutcomeUnknown("timeout")
        await asyncio.sleep(0)
        return [accepted]

    async def cancel(  # the venue of a test has one instrument
            self, client_order_id: str, instrument: Instrument, sent_at_ns: int,
    ) -> list[VenueEvent]:
        identity = client_order_id
        self.cancelled.append(identity)
        canceled = VenueEvent(VenueEventKind.CANCELED, identity, sent_at_ns + LATENCY_NS, f"v-{identity}")
        self._events.setdefault(identity, []).append(canceled)
        return [canceled]

    async def recover(self, commands: Sequence[VenueCommand]) -> list[VenueEvent]:
        for command in commands:
            known = {event.kind for event in self._events.get(command.request.client_order_id, [])}
            lost = command.request.client_order_id in self.lost
            if command.kind is VenueCommandKind.SUBMIT and VenueEventKind.ACCEPTED not in known and not lost:
                await self.submit(command.request, command.sent_at_ns)
            if command.kind is VenueCommandKind.CANCEL and VenueEventKind.CANCELED not in known:
                await self.cancel(command.request.client_order_id, command.request.instrument, command.sent_at_ns)
        asked = dict.fromkeys(command.request.client_order_id for command in commands)
        return [event for identity in asked for event in self._events.get(identity, [])]

    async def advance_to(self, event_time_ns: int) -> list[VenueEvent]:
        happened = [event for event in self.arranged if self._now_ns < event.event_time_ns <= event_time_ns]
        self._now_ns = max(self._now_ns, event_time_ns)
        for event in happened:
            self._events.setdefault(event.client_order_id, []).append(event)
        return happened

    def now_ns(self) -> int:
        return self._now_ns

    async def close(self) -> None:
        return None

    def arrange_fill(self, identity: str, at_ns: int, quantity: str = "0.4", trade_id: str = "t1") -> None:
        fill = VenueFill(trade_id, Decimal(quantity), Decimal(60_000), Decimal("0.01"), "USDT", maker=True)
        self.arranged.append(VenueEvent(VenueEventKind.FILL, identity, at_ns, f"v-{identity}", fill=fill))


def an_order_message(**changed: object) -> Order:
    values: dict[str, object] = {
        "instrument": "BINANCE_USDM:BTCUSDT", "side": order_pb2.SIDE_BUY, "position_side": order_pb2.POSITION_SIDE_BOTH,
        "type": order_pb2.ORDER_TYPE_LIMIT, "time_in_force": order_pb2.TIME_IN_FORCE_GTC, "quantity": "1",
        "price": "60000", "self_trade_prevention": order_pb2.SELF_TRADE_PREVENTION_EXPIRE_MAKER,
        "price_match": order_pb2.PRICE_MATCH_NONE}
    return Order(**(values | changed))  # type: ignore[arg-type]  # each test changes one field of its own type


class Approver:
    """Signs approvals, in the place of risk."""

    def __init__(self, directory: Path, namespace: str, redis_url: str) -> None:
        self.signer = load_or_create_signer(directory)
        self._redis = connect_sync(redis_url)
        self._epoch_key = f"{namespace}:risk_epoch"
        self.set_epoch(1)

    def set_epoch(self, epoch: int | None) -> None:
        self._redis.delete(self._epoch_key)
        if epoch is not None:
            self._redis.set(self._epoch_key, epoch)

    def approval(self, decision_id: str, order: Order | None = None, now_ns: int = START_NS,
                 **changed: object) -> Approval:
        audience = Audience(execution_id="execution-1", account="main", venue="BINANCE_USDM", environment="simulated")
        values: dict[str, object] = {
            "schema_version": SCHEMA_VERSION, "order": (order or an_order_message()).SerializeToString(),
            "decision_id": decision_id, "nonce": secrets.token_bytes(16), "audience": audience, "issued_at_ns": now_ns,
            "expires_at_ns": now_ns + MAX_LIFETIME_NS, "risk_epoch": 1}
        return Approval(**(values | changed))  # type: ignore[arg-type]  # as above

    def signed(self, decision_id: str, order: Order | None = None, now_ns: int = START_NS,
               **changed: object) -> SignedApproval:
        return self.signer.sign(self.approval(decision_id, order, now_ns, **changed))


@dataclass
class Rig:
    """A running service with its venue and its approver."""

    settings: Settings
    urls: StoreUrls
    venue: RecordingVenue
    approver: Approver
    execution: "ExecutionServiceAsyncStub" = field(init=False)
    simulation: "SimulationServiceAsyncStub" = field(init=False)

    async def submit(self, approval: SignedApproval) -> messages.OrderState:
        return (await self.execution.SubmitOrder(messages.SubmitOrderRequest(approval=approval))).order

    async def refusal(self, approval: SignedApproval | None) -> tuple[str, grpc.StatusCode]:
        try:
            await self.execution.SubmitOrder(messages.SubmitOrderRequest(approval=approval))
        except grpc.aio.AioRpcError as error:
            trailer = dict(error.trailing_metadata() or ())
            return str(trailer.get("sluice-refusal", "")), error.code()
        return "ACCEPTED", grpc.StatusCode.OK

    async def advance(self, event_time_ns: int) -> int:
        answer = await self.simulation.AdvanceTo(messages.AdvanceToRequest(event_time_ns=event_time_ns))
        return answer.report_sequence

    async def reports(self, first: int = 1) -> list[messages.ExecutionReport]:
        """Return every report there is now."""
        stream = self.execution.StreamReports(messages.StreamReportsRequest(from_sequence=first))
        found: list[messages.ExecutionReport] = []
        last = None
        async for answer in stream:
            last = answer.last_sequence if last is None else last
            if answer.HasField("report"):
                found.append(answer.report)
            if first + len(found) > last:
                break
        stream.cancel()
        return found

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Rig"]:
        """Start the service, or start it again on the same journal and venue."""
        server = ExecutionServer(self.settings, self.urls, self.venue)
        channel = aio_channel(await server.start())
        self.execution = ExecutionServiceStub(channel)
        self.simulation = SimulationServiceStub(channel)
        try:
            yield self
        finally:
            await channel.close()
            await server.close()


def a_rig(urls: StoreUrls, folder: Path, clock: str = "event") -> Rig:
    namespace = f"t{secrets.token_hex(6)}"
    settings = Settings.model_validate({
        "run": RunSettings(data_dir=folder, namespace=namespace).model_dump() | {"clock": clock},
        "execution": ExecutionSettings(address="127.0.0.1:0"), "source": SourceSettings()})
    return Rig(settings, urls, RecordingVenue(), Approver(folder / "keys", namespace, urls.redis_url))


@asynccontextmanager
async def a_running_rig(urls: StoreUrls, folder: Path) -> AsyncIterator[Rig]:
    """A service in event time, moved to START_NS."""
    rig = a_rig(urls, folder)
    async with rig.running():
        await rig.advance(START_NS)
        yield rig


@asynccontextmanager
async def redis_proxy(url: str) -> AsyncIterator[tuple[str, Callable[[], None]]]:
    """A way to a real Redis that the test can cut; yields its URL and what cuts it."""
    pipes: list[asyncio.StreamWriter] = []
    tasks: set[asyncio.Task[None]] = set()

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65_536):
                writer.write(data)
        writer.close()

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await open_redis(url)
        pipes.extend((writer, back))
        tasks.update((asyncio.ensure_future(pump(reader, back)), asyncio.ensure_future(pump(there, writer))))

    server = await asyncio.start_server(connect, "127.0.0.1", 0)

    def cut() -> None:
        server.close()
        for pipe in pipes:
            pipe.close()

    port = server.sockets[0].getsockname()[1]
    try:
        yield f"redis://127.0.0.1:{port}/0", cut
    finally:
        cut()
        await asyncio.gather(*tasks, return_exceptions=True)


async def open_redis(url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect to the host and port, or the socket, of a Redis URL."""
    parts = urlsplit(url)
    if parts.scheme == "unix":
        return await asyncio.open_unix_connection(parts.path)
    return await asyncio.open_connection(parts.hostname, parts.port)


__all__ = ["LATENCY_NS", "START_NS", "Approver", "RecordingVenue", "Rig", "a_rig", "a_running_rig", "an_order_message",
           "client_order_id", "redis_proxy"]

# ruff: noqa: ARG002, N802  # the contract gives the methods their names and arguments
"""The gRPC shell: `ExecutionService`, and `SimulationService` where the venue's time is simulated.

It translates messages and errors and decides nothing. A refused approval ends with PERMISSION_DENIED (it is not ours to
act on) or FAILED_PRECONDITION, and the refusal's name in the trailer `sluice-refusal`.
"""

from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, NoReturn

import grpc

from execution import metrics
from execution.cancellation import Cancellation
from execution.codec import write_state
from execution.desk import Desk
from execution.domain import OrderState
from execution.gate import ApprovalRefusedError
from execution.identity import JournalIdentity
from execution.recovery import Recovery
from execution.submission import Submission
from execution.venues.interface import EventStream, SimulatedTime
from sluice.envelope import Refusal
from sluice.errors import InputError, NotFoundError, NotRunningError
from sluice.execution.v1 import execution_pb2 as messages
from sluice.execution.v1 import execution_pb2_grpc as services

REFUSAL_TRAILER: Final = "sluice-refusal"
_NOT_OURS: Final = frozenset({
    Refusal.MALFORMED, Refusal.UNKNOWN_KEY, Refusal.BAD_SIGNATURE, Refusal.SCHEMA_VERSION, Refusal.AUDIENCE})

Context = grpc.aio.ServicerContext[Any, Any]


@dataclass(frozen=True, slots=True)
class Handlers:
    """What the service calls."""

    desk: Desk
    submission: Submission
    cancellation: Cancellation
    recovery: Recovery
    identity: JournalIdentity


class ExecutionServicer(services.ExecutionServiceServicer):
    """Turns approvals into orders and tells what became of them."""

    def __init__(self, handlers: Handlers) -> None:
        self._desk = handlers.desk
        self._submission = handlers.submission
        self._cancellation = handlers.cancellation
        self._recovery = handlers.recovery
        self._identity = handlers.identity
        self._ready = False

    def set_ready(self) -> None:
        """Begin to answer: the journal is replayed and the venue has told."""
        self._ready = True

    async def SubmitOrder(
            self, request: messages.SubmitOrderRequest, context: Context) -> messages.SubmitOrderResponse:
        """Send an approved order."""
        self._require_ready()
        try:
            order = await self._desk.exclusively(self._submission.submit(request.approval))
        except ApprovalRefusedError as error:
            await _refuse(context, error)
        return messages.SubmitOrderResponse(order=write_state(order))

    async def VoidApproval(
            self, request: messages.VoidApprovalRequest, context: Context) -> messages.VoidApprovalResponse:
        """Give an approval up."""
        self._require_ready()
        try:
            voided = await self._desk.exclusively(self._submission.void(request.approval))
        except ApprovalRefusedError as error:
            await _refuse(context, error)
        return messages.VoidApprovalResponse(voided=voided)

    async def CancelOrder(
            self, request: messages.CancelOrderRequest, context: Context) -> messages.CancelOrderResponse:
        """Ask for a cancel."""
        self._require_ready()
        order = await self._desk.exclusively(
            self._cancellation.cancel(request.client_order_id, request.reason[:500]))
        return messages.CancelOrderResponse(order=write_state(order))

    async def CancelAll(
            self, request: messages.CancelAllRequest, context: Context) -> messages.CancelAllResponse:
        """Ask for the cancel of every open order."""
        self._require_ready()
        orders = await self._desk.exclusively(
            self._cancellation.cancel_all(request.instrument, request.reason[:500]))
        return messages.CancelAllResponse(orders=map(write_state, orders))

    async def GetOrder(
            self, request: messages.GetOrderRequest, context: Context) -> messages.GetOrderResponse:
        """Return an order by its client order id, or by its decision."""
        self._require_ready()
        return messages.GetOrderResponse(order=write_state(self._found(request)))

    async def ListOrders(
            self, request: messages.ListOrdersRequest, context: Context) -> messages.ListOrdersResponse:
        """Return orders, the oldest first."""
        self._require_ready()
        found = [order for order in self._desk.ledger.orders()
                 if not (request.open_only and order.status.final)
                 and request.instrument in ("", order.request.instrument.key)]
        return messages.ListOrdersResponse(orders=map(write_state, found))

    async def StreamReports(
            self, request: messages.StreamReportsRequest, context: Context,
    ) -> AsyncIterator[messages.StreamReportsResponse]:
        """Yield where the stream stands, then every report from a sequence on."""
        self._require_ready()
        if request.from_sequence < 0:
            raise InputError(f"from_sequence must be 0 or above, was {request.from_sequence}")
        feed = self._desk.feed
        if request.from_sequence > feed.last_sequence + 1:
            raise NotFoundError(
                f"from_sequence must be at most {feed.last_sequence + 1} in this journal, was {request.from_sequence}")
        with suppress(NotRunningError):  # without Redis nothing is sent, but what has happened can still be told
            await self._identity.publish()
        yield messages.StreamReportsResponse(
            last_sequence=feed.last_sequence, journal_id=self._identity.journal_id)
        async for raw in self._desk.follow(max(request.from_sequence, 1)):
            report = messages.ExecutionReport.FromString(raw)
            yield messages.StreamReportsResponse(report=report, last_sequence=feed.last_sequence)

    async def Reconcile(
            self, request: messages.ReconcileRequest, context: Context) -> messages.ReconcileResponse:
        """Ask the venue for the fate of every open order."""
        self._require_ready()
        if isinstance(self._desk.venue, EventStream) and not self._desk.in_event_time:
            changed = await self._recovery.reconcile_beside()
        else:
            changed = await self._desk.exclusively(self._recovery.reconcile())
        return messages.ReconcileResponse(changed=map(write_state, changed))

    def _found(self, request: messages.GetOrderRequest) -> OrderState:
        if request.client_order_id:
            return self._desk.ledger.require(request.client_order_id)
        if (found := self._desk.ledger.of_decision(request.decision_id)) is None:
            raise NotFoundError(f"decision_id must have an order, was {request.decision_id[:64]!r}")
        return found

    def _require_ready(self) -> None:
        if not self._ready:
            raise NotRunningError("execution must have recovered before it answers, and is recovering still")


class SimulationServicer(services.SimulationServiceServicer):
    """Moves a simulated venue through event time."""

    def __init__(self, desk: Desk, venue: SimulatedTime) -> None:
        self._desk = desk
        self._venue = venue
        self._ready = False

    def set_ready(self) -> None:
        """Begin to answer."""
        self._ready = True

    async def AdvanceTo(
            self, request: messages.AdvanceToRequest, context: Context) -> messages.AdvanceToResponse:
        """Play the venue's market up to a time."""
        if not self._ready:
            raise NotRunningError("execution must have recovered before it answers, and is recovering still")
        if request.event_time_ns < 0:
            raise InputError(f"event_time_ns must be 0 or above, was {request.event_time_ns}")
        sequence = await self._desk.exclusively(self._desk.advance(self._venue, request.event_time_ns))
        return messages.AdvanceToResponse(report_sequence=sequence, event_time_ns=self._venue.now_ns())


async def _refuse(context: Context, error: ApprovalRefusedError) -> NoReturn:
    code = grpc.StatusCode.PERMISSION_DENIED if error.refusal in _NOT_OURS else grpc.StatusCode.FAILED_PRECONDITION
    metrics.REFUSALS.labels(error.refusal.name).inc()
    await context.abort(code, error.message, ((REFUSAL_TRAILER, error.refusal.name),))
    raise AssertionError("abort always raises")

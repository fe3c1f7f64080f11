"""The gate: the one writer around the engine. It journals first, then lets things count, then answers.

Everything that changes state runs under one lock and to its end, even where its caller has gone, so there are no races
and no half-done changes to think about. A database error leaves unknown what was committed; the gate then refuses
everything and asks to be started again from the journal.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

from risk import wire
from risk.approvals import ApprovalIssuer, Fence, decision_id_of, order_bytes
from risk.domain import TradingState
from risk.drawdown import Latch
from risk.engine import Decision, DecisionTimes, RiskEngine
from risk.journal import JournalError
from risk.limits import limits_version
from risk.records import AuditEntry, DecisionRecord, JournalledBytes, decision_record
from risk.reports import ReportBuffer
from risk.reservations import Reservation
from risk.snapshots import portfolio_snapshot
from risk.stores import DecisionJournal, Executor, PublishedEpoch
from sluice.clock import NS_PER_MS, Clock, EventClock, observe
from sluice.envelope import MAX_SKEW_NS
from sluice.errors import InputError, InvariantError, NotFoundError, NotRunningError
from sluice.risk.v1 import risk_pb2 as risk
from sluice.risk.v1.approval_pb2 import SignedApproval

Result = TypeVar("Result")
REPORT_PATIENCE_S: Final = 2.0
MAX_NAME: Final = 200

_log = logging.getLogger("risk.gate")


class Gate:
    """Decides, observes and remembers. Made by `risk.service`, which also recovers it before it serves."""

    def __init__(
        self, engine: RiskEngine, journal: DecisionJournal, fence: PublishedEpoch, issuer: ApprovalIssuer,
        execution: Executor, clock: Clock, namespace: str,
    ) -> None:
        self.engine = engine
        self.reports = ReportBuffer()
        self.risk_epoch = 0
        self.last_sequence = 0
        self.decided = asyncio.Condition()
        self.failed = asyncio.Event()
        self.ready = False
        self._journal = journal
        self._fence = fence
        self._issuer = issuer
        self._execution = execution
        self._clock = clock
        self._namespace = namespace
        self._limits_version = limits_version(engine.limits)
        self._tolerance_ns = engine.limits.max_data_age_ms * NS_PER_MS
        self._published_epoch = 0
        self._lock = asyncio.Lock()
        self._running: set[asyncio.Future[Any]] = set()
        self._known: set[str] = set()
        self._voided: set[str] = set()

    @property
    def replaying(self) -> bool:
        """Tell whether time follows the events."""
        return isinstance(self._clock, EventClock)

    def remember(self, intent_id: str, sequence: int) -> None:
        """Note that an intent has been decided."""
        self._known.add(intent_id)
        self.last_sequence = max(self.last_sequence, sequence)

    async def evaluate(self, request: risk.EvaluateRequest) -> risk.EvaluateResponse:
        """Decide on an intent, or answer its recorded decision. Raises `NotRunningError` where reports are missing."""
        _check_names(request.intent)
        if request.intent.intent_id not in self._known:
            await self.reports.wait_for(request.after_report_sequence, REPORT_PATIENCE_S)
        return await self.exclusively(lambda: self._decide_or_repeat(request))

    async def observe(self, request: risk.ObserveMarketRequest) -> TradingState:
        """Take in the market of a tick; an older or equal one changes nothing."""
        if request.event_time_ns <= 0:
            raise InputError(f"event_time_ns must be positive, was {request.event_time_ns}")
        latest_ns = self._clock.now_ns() + self._tolerance_ns
        if not self.replaying and request.event_time_ns > latest_ns:  # else the true market would look old for ever
            raise InputError(f"event_time_ns must be at most {latest_ns} by the machine's clock, "
                             f"was {request.event_time_ns}")
        if request.event_time_ns > self.engine.market.event_time_ns:
            await self.reports.wait_for(request.after_report_sequence, REPORT_PATIENCE_S)
        await self.exclusively(lambda: self._observe(request))
        return self.engine.trading_state

    async def apply_arrived(self) -> None:
        """Live: let the reports that have come in count at once. In a replay they wait for their event time."""
        if self.ready and not self.replaying:
            await self.exclusively(self._apply_all)

    def open(self, counted: int) -> None:
        """Begin to decide, with the reports counted in that had counted before; live with all that there are."""
        self._apply(counted, 0)
        self.ready = True

    async def exclusively(self, work: Callable[[], Awaitable[Result]]) -> Result:
        """Run a change of state as the only writer, to its end even where the caller is cancelled.

        Raises `NotRunningError` before the recovery is done and after a failure.
        """
        task = asyncio.ensure_future(self._alone(work))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return await asyncio.shield(task)

    async def advance_epoch(self) -> None:
        """Count the epoch on and publish it. The journal must have it already."""
        self.risk_epoch += 1
        await self._publish_epoch()

    def follow(self, event_time_ns: int) -> None:
        """Let an event clock follow a time that has been accepted."""
        observe(self._clock, event_time_ns)

    async def _alone(self, work: Callable[[], Awaitable[Result]]) -> Result:
        if not self.ready or self.failed.is_set():
            raise NotRunningError("risk must have rebuilt its state, has not", fix="wait until its health is SERVING")
        async with self._lock:
            try:
                await self._publish_epoch()
                return await work()
            except (JournalError, InvariantError):
                self.failed.set()
                raise

    async def _publish_epoch(self) -> None:
        if self._published_epoch != self.risk_epoch:
            await self._fence.publish(self.risk_epoch)
            self._published_epoch = self.risk_epoch

    async def _decide_or_repeat(self, request: risk.EvaluateRequest) -> risk.EvaluateResponse:
        if request.intent.intent_id in self._known:
            return await self._repeat(request.intent.intent_id)
        return await self._decide(request)

    async def _decide(self, request: risk.EvaluateRequest) -> risk.EvaluateResponse:
        intent = wire.read_intent(request.intent)
        if abs(intent.event_time_ns - self.engine.market.event_time_ns) <= self._tolerance_ns:
            self.follow(intent.event_time_ns)  # one far from the market is refused and must not move the clock
        self._apply(request.after_report_sequence, intent.event_time_ns)
        now_ns = self._clock.now_ns()
        times = DecisionTimes(now_ns, intent.event_time_ns if self.replaying else now_ns)
        decision = self.engine.decide(intent, decision_id_of(self._namespace, intent.intent_id), times)
        record = self._record(decision, request.intent.SerializeToString(deterministic=True), times)
        await self._journal.record_decision(record)
        self.engine.commit(decision)
        self.remember(intent.intent_id, record.sequence)
        async with self.decided:
            self.decided.notify_all()
        return self._answer(record, repeated=False)

    def _record(self, decision: Decision, intent: bytes, times: DecisionTimes) -> DecisionRecord:
        order = order_bytes(decision)
        fence = Fence(self.risk_epoch, self._limits_version)
        signed = self._issuer.issue(decision, order, times.issued_at_ns, fence) if decision.approved else None
        parts = JournalledBytes(
            intent, order, wire.veto_message(decision.reasons).SerializeToString(),
            signed.SerializeToString() if signed else b"")
        return decision_record(
            decision, parts, self.last_sequence + 1, self.risk_epoch, self.engine.portfolio.report_sequence)

    async def _repeat(self, intent_id: str) -> risk.EvaluateResponse:
        if (record := await self._journal.find(intent_id)) is None:
            raise JournalError(f"the decision on {intent_id} must be in the journal, was not found")
        if not self._renewable(record):
            return self._answer(record, repeated=True)
        fence = Fence(self.risk_epoch, self._limits_version)
        signed = self._issuer.renew(SignedApproval.FromString(record.signed_approval), fence).SerializeToString()
        await self._journal.renew_approval(record.decision_id, self.risk_epoch, signed)
        return self._answer(record, repeated=True, signed=signed)

    def _renewable(self, record: DecisionRecord) -> bool:
        """Tell whether an approval of an older epoch is unused and would still be allowed now."""
        held = self.engine.portfolio.reservations.get(record.decision_id)
        unused = held is not None and not held.sent and not self.reports.mentions(record.decision_id)
        state = self.engine.trading_state
        allowed = held is not None and (
            state is TradingState.ACTIVE or (state is TradingState.REDUCING and held.reducing))
        return (unused and allowed and record.risk_epoch < self.risk_epoch
                and record.decision_id not in self._voided and self._clock.now_ns() <= record.expires_at_ns)

    def _answer(self, record: DecisionRecord, *, repeated: bool, signed: bytes = b"") -> risk.EvaluateResponse:
        answer = risk.EvaluateResponse(
            decision_id=record.decision_id, repeated=repeated,
            portfolio=portfolio_snapshot(self.engine, self.risk_epoch))
        if record.approved:
            answer.approval.ParseFromString(signed or record.signed_approval)
        else:
            answer.veto.ParseFromString(record.reasons)
        return answer

    async def _observe(self, request: risk.ObserveMarketRequest) -> None:
        if request.event_time_ns <= self.engine.market.event_time_ns:
            return
        self.follow(request.event_time_ns)
        self._apply(request.after_report_sequence, request.event_time_ns)
        if (observation := self.engine.observe(request.event_time_ns, map(wire.read_top, request.tops))) is None:
            return
        # A Redis that has lost the epoch has lost the used nonces too: everything in flight must end.
        forgotten = await self._fence.published() < self.risk_epoch
        epoch = self.risk_epoch + bool(observation.tripped or forgotten)
        audit = [_latch_entry(latch) for latch in observation.tripped]
        sequence = self.engine.portfolio.report_sequence
        await self._journal.record_observation(observation, sequence, epoch, audit)
        self.engine.accept(observation)
        if epoch != self.risk_epoch:
            await self.advance_epoch()
        await self._void_unused(request.event_time_ns)

    async def _void_unused(self, event_time_ns: int) -> None:
        """Have execution burn approvals that nobody can use any more; its NOT_SENT reports then release them."""
        for held in self.engine.portfolio.reservations.never_sent(event_time_ns - 2 * MAX_SKEW_NS):
            if held.decision_id not in self._voided and not self.reports.mentions(held.decision_id):
                await self._void(held)

    async def _void(self, held: Reservation) -> None:
        if (signed := await self._journal.approval(held.decision_id)) is None:
            raise JournalError(f"the approval of {held.decision_id} must be in the journal, was not found")
        if await self._execution.void(SignedApproval.FromString(signed)):
            self._voided.add(held.decision_id)

    async def _apply_all(self) -> None:
        self._apply(self.reports.received, 0)

    def _apply(self, sequence: int, event_time_ns: int) -> None:
        """Let reports count: in a replay those that belong to a request, live all that have come in."""
        until = sequence if self.replaying else self.reports.received
        for report in self.reports.take(until, event_time_ns):
            try:
                self.engine.apply_report(report)
            except NotFoundError as error:
                raise InvariantError(f"report {report.sequence} must be countable: {error.message}") from error
            self._voided.discard(report.decision_id)


def _check_names(intent: risk.OrderIntent) -> None:
    names = (("intent_id", intent.intent_id, 1), ("strategy", intent.strategy, 0),
             ("model_version", intent.model_version, 0))
    for name, value, least in names:
        if not (least <= len(value) <= MAX_NAME and value.isascii() and value.isprintable()):
            raise InputError(f"{name} must be {least} to {MAX_NAME} printable ASCII characters, was {value[:60]!r}")


def _latch_entry(latch: Latch) -> AuditEntry:
    return AuditEntry(
        event_time_ns=latch.event_time_ns, recorded_at_ns=time.time_ns(), action="LATCH", operator="risk",
        reason=f"drawdown of the {latch.period.value} must be at most {latch.limit}, was {round(latch.drawdown, 6)}",
        subject=latch.asset, details="REDUCING until an operator resumes")

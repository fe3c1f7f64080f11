"""The stores of risk and execution as memory: what a service writes to PostgreSQL and Redis, for one run.

They hold to what their counterparts hold to (single use, the epoch, unique keys), because the veto rests on it; they
outlive nothing.
"""

from collections.abc import Sequence
from dataclasses import replace

from backtest.report.journal import EquityRow
from execution.codec import write_report
from execution.journal import AlreadyUsedError
from execution.ledger import Draft, NewOrder
from execution.nonces import Burning, NonceStoreError
from risk.engine import Observation
from risk.records import AuditEntry, DecisionRecord
from sluice.envelope import Refusal
from sluice.orders import ReportKind


class MemoryDecisions:
    """Risk's journal: decisions in order, equity, and what was audited."""

    def __init__(self) -> None:
        self.equity: list[EquityRow] = []
        self.audit: list[AuditEntry] = []
        self._by_intent: dict[str, DecisionRecord] = {}
        self._intents: dict[str, str] = {}

    def records(self) -> list[DecisionRecord]:
        """Return the decisions, in the order in which they were made."""
        return list(self._by_intent.values())

    async def record_decision(self, record: DecisionRecord) -> None:
        """Keep a decision."""
        self._by_intent[record.intent_id] = record
        self._intents[record.decision_id] = record.intent_id

    async def renew_approval(self, decision_id: str, risk_epoch: int, signed_approval: bytes) -> None:
        """Replace the signed approval of a decision that was signed anew."""
        intent_id = self._intents[decision_id]
        self._by_intent[intent_id] = replace(
            self._by_intent[intent_id], risk_epoch=risk_epoch, signed_approval=signed_approval)

    async def record_observation(
        self, observation: Observation, report_sequence: int, risk_epoch: int, audit: Sequence[AuditEntry]  # noqa: ARG002  # the journal's
    ) -> None:
        """Keep a tick's equity and what was audited; the rest is for a restart, and a run has none."""
        time_ns = observation.market.event_time_ns
        self.equity += [
            EquityRow(time_ns, line.asset, line.balance, line.unrealised_pnl, line.equity)
            for line in observation.equity
        ]
        self.audit += audit

    async def find(self, intent_id: str) -> DecisionRecord | None:
        """Return the decision on an intent, or None."""
        return self._by_intent.get(intent_id)

    async def approval(self, decision_id: str) -> bytes | None:
        """Return the serialised signed approval of a decision, or None."""
        found = self._by_intent.get(self._intents.get(decision_id, ""))
        return found.signed_approval if found is not None and found.approved else None


class MemoryNonces:
    """The nonces and the epoch that they are burnt under: both sides' share of Redis."""

    def __init__(self) -> None:
        self._epoch = 0
        self._held: dict[bytes, Burning] = {}

    async def published(self) -> int:
        """Return the published epoch; 0 where there is none."""
        return self._epoch

    async def publish(self, risk_epoch: int) -> None:
        """Publish an epoch."""
        self._epoch = risk_epoch

    async def burn(self, nonce: bytes, risk_epoch: int) -> Burning:
        """Use a nonce up if its approval is of the current epoch. Raises `NonceStoreError` where there is no epoch."""
        if not self._epoch:
            raise NonceStoreError("risk must have published an epoch before an order is sent, has not")
        if risk_epoch < self._epoch:
            return Burning.STALE_EPOCH
        if (held := self._held.get(nonce)) is not None:
            return held
        self._held[nonce] = Burning.USED
        return Burning.BURNT

    async def void(self, nonce: bytes) -> None:
        """Burn a nonce that no order was made with, so that none will be."""
        self._held[nonce] = Burning.VOID


class MemoryOrders:
    """Execution's journal: the signed bytes of every order, and every report as the contract's bytes."""

    def __init__(self) -> None:
        self.reports: list[bytes] = []
        self.fills: list[bytes] = []
        self.order_bytes: dict[str, bytes] = {}
        self._nonces: set[bytes] = set()
        self._decisions: set[str] = set()

    async def write(self, draft: Draft) -> None:
        """Keep a draft, all of it or nothing. Raises `AlreadyUsedError`."""
        for client_order_id, new in draft.created.items():
            self._require_unused(client_order_id, new)
        for client_order_id, new in draft.created.items():
            self.order_bytes[client_order_id] = new.order_bytes
            self._nonces.add(new.nonce)
            self._decisions.add(new.decision_id)
        for report in draft.reports:
            raw = write_report(report).SerializeToString(deterministic=True)
            self.reports.append(raw)
            if report.kind is ReportKind.FILL:
                self.fills.append(raw)

    async def write_time(self, event_time_ns: int) -> None:
        """Keep nothing: the time is for a restart, and a run has none."""

    async def page(self, first: int, last: int) -> list[bytes]:
        """Return the reports with sequences from `first` to `last`."""
        return self.between(first - 1, last)

    def between(self, after: int, until: int) -> list[bytes]:
        """Return the reports with sequences from `after + 1` to `until`."""
        return self.reports[after:until]

    def _require_unused(self, client_order_id: str, new: NewOrder) -> None:
        if new.nonce in self._nonces:
            raise AlreadyUsedError(Refusal.REPLAYED)
        if new.decision_id in self._decisions or client_order_id in self.order_bytes:
            raise AlreadyUsedError(Refusal.DUPLICATE_ORDER)

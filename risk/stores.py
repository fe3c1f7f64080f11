"""What the gate needs of its journal, of the published epoch and of execution, whatever these are made of.

A service gives it PostgreSQL, Redis and gRPC; a backtest in one process gives it its own memory. The rules are the
gate's and the engine's alone.
"""

from collections.abc import Sequence
from typing import Protocol

from risk.engine import Observation
from risk.records import AuditEntry, DecisionRecord
from sluice.risk.v1.approval_pb2 import SignedApproval


class DecisionJournal(Protocol):
    """Where decisions and observations are written before they count. Each method may raise `JournalError`."""

    async def record_decision(self, record: DecisionRecord) -> None:
        """Write a decision."""
        ...

    async def renew_approval(self, decision_id: str, risk_epoch: int, signed_approval: bytes) -> None:
        """Replace the signed approval of a decision that was signed anew."""
        ...

    async def record_observation(
        self, observation: Observation, report_sequence: int, risk_epoch: int, audit: Sequence[AuditEntry]
    ) -> None:
        """Write what a tick's market led to."""
        ...

    async def find(self, intent_id: str) -> DecisionRecord | None:
        """Return the decision on an intent, or None."""
        ...

    async def approval(self, decision_id: str) -> bytes | None:
        """Return the serialised signed approval of a decision, or None."""
        ...


class PublishedEpoch(Protocol):
    """The epoch where execution reads it. Each method may raise `NotRunningError`."""

    async def published(self) -> int:
        """Return the published epoch; 0 where there is none."""
        ...

    async def publish(self, risk_epoch: int) -> None:
        """Publish an epoch."""
        ...


class Executor(Protocol):
    """What the gate asks of execution."""

    async def void(self, signed: SignedApproval) -> bool:
        """Have an approval burnt; False where that could not be done now."""
        ...

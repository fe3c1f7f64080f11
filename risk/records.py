"""What the journal holds, as values: rows of decisions, audit entries and the state to start from."""

from dataclasses import dataclass
from decimal import Decimal

from risk.domain import TradingState
from risk.drawdown import DrawdownGuard
from risk.engine import Decision
from risk.market import Market
from sluice.decimals import ZERO


@dataclass(frozen=True, slots=True)
class DecisionRecord:
    """A decision as journalled; the fields are the columns of `decisions`."""

    sequence: int
    decision_id: str
    intent_id: str
    intent: bytes
    approved: bool
    order_bytes: bytes
    reasons: bytes
    event_time_ns: int
    risk_epoch: int
    report_sequence: int
    signed_approval: bytes
    expires_at_ns: int
    reserved_quantity: Decimal
    worst_price: Decimal
    reserved_notional: Decimal


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One thing that a person or the service did. `action` is a name of the contract's `AuditAction`."""

    event_time_ns: int
    recorded_at_ns: int
    action: str
    operator: str
    reason: str
    subject: str = ""
    details: str = ""


@dataclass(frozen=True, slots=True)
class ServiceState:
    """What was in force when the service last wrote, besides its decisions."""

    risk_epoch: int
    operator_state: TradingState
    limits_version: str
    report_sequence: int
    market: Market
    guard: DrawdownGuard


@dataclass(frozen=True, slots=True)
class JournalledBytes:
    """The serialised parts of a decision's row."""

    intent: bytes
    order: bytes
    reasons: bytes
    signed_approval: bytes


def decision_record(
    decision: Decision, parts: JournalledBytes, sequence: int, risk_epoch: int, report_sequence: int
) -> DecisionRecord:
    """Return the row of a decision."""
    held = decision.reservation
    return DecisionRecord(
        sequence=sequence,
        decision_id=decision.decision_id,
        intent_id=decision.intent.intent_id,
        intent=parts.intent,
        approved=decision.approved,
        order_bytes=parts.order,
        reasons=parts.reasons,
        event_time_ns=decision.intent.event_time_ns,
        risk_epoch=risk_epoch,
        report_sequence=report_sequence,
        signed_approval=parts.signed_approval,
        expires_at_ns=held.expires_at_ns if held else 0,
        reserved_quantity=held.quantity if held else ZERO,
        worst_price=held.worst_price if held else ZERO,
        reserved_notional=held.notional if held else ZERO,
    )

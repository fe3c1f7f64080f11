"""What operators may do: halt, reduce-only, resume. Always with a name and a reason, audited before it takes effect.

Each of them counts the epoch on, which makes execution refuse every approval in flight.
"""

import time
from dataclasses import dataclass
from typing import Final

from risk.domain import TradingState
from risk.gate import Gate
from risk.journal import Journal
from risk.records import AuditEntry
from sluice.errors import InputError

MAX_TEXT: Final = 1_000
_ACTIONS: Final = {
    TradingState.HALTED: "HALT",
    TradingState.REDUCING: "REDUCE_ONLY",
    TradingState.ACTIVE: "RESUME",
}


@dataclass(frozen=True, slots=True)
class OperatorCommand:
    """Who wants which state, and why."""

    state: TradingState
    operator: str
    reason: str


async def carry_out(command: OperatorCommand, gate: Gate, journal: Journal) -> tuple[TradingState, int]:
    """Change the trading state; return the state before and the new epoch.

    A resume also releases the drawdown latches and counts drawdown from the present equity on. Raises `InputError`
    where operator or reason is missing, and `NotRunningError` where the epoch could not be published: the new state
    holds even so.
    """
    _check("operator", command.operator)
    _check("reason", command.reason)
    return await gate.exclusively(lambda: _change(command, gate, journal))


async def _change(command: OperatorCommand, gate: Gate, journal: Journal) -> tuple[TradingState, int]:
    engine = gate.engine
    previous = engine.trading_state
    released = engine.guard.released() if command.state is TradingState.ACTIVE else None
    await journal.record_operator(command.state, gate.risk_epoch + 1, _entry(command, gate, previous), released)
    engine.operator_state = command.state
    engine.guard = released or engine.guard
    await gate.advance_epoch()
    return previous, gate.risk_epoch


def _entry(command: OperatorCommand, gate: Gate, previous: TradingState) -> AuditEntry:
    return AuditEntry(
        event_time_ns=gate.engine.market.event_time_ns, recorded_at_ns=time.time_ns(),
        action=_ACTIONS[command.state], operator=command.operator.strip(), reason=command.reason.strip(),
        details=f"from {previous.name} to {command.state.name}")


def _check(name: str, value: str) -> None:
    if not value.strip() or len(value) > MAX_TEXT or "\0" in value:
        raise InputError(f"{name} must be given in at most {MAX_TEXT} characters, was {value[:60]!r}")

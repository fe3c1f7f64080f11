"""What the risk service counts: its decisions by outcome, the reasons of its vetoes, and its trading state."""

from prometheus_client import Counter, Gauge

from sluice.risk.v1 import risk_pb2 as risk

DECISIONS = Counter(
    "sluice_risk_decisions", "Answers to intents, by outcome: approved, vetoed, or repeated for a known intent.",
    ("outcome",))
VETO_REASONS = Counter(
    "sluice_risk_veto_reasons", "Reasons of vetoes, by reason code; one veto may have several.", ("reason",))
TRADING_STATE = Gauge("sluice_risk_trading_state", "What may pass: 1 everything, 2 only what reduces, 3 nothing.")


def count(answer: risk.EvaluateResponse) -> None:
    """Count an answer to an intent."""
    TRADING_STATE.set(answer.portfolio.trading_state)
    if answer.repeated:
        DECISIONS.labels("repeated").inc()
        return
    DECISIONS.labels("vetoed" if answer.HasField("veto") else "approved").inc()
    for reason in answer.veto.reasons:
        VETO_REASONS.labels(risk.ReasonCode.Name(reason.code).removeprefix("REASON_CODE_")).inc()

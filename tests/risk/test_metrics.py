"""What risk counts of its answers."""

from prometheus_client import REGISTRY

from risk import metrics
from sluice.risk.v1 import risk_pb2 as risk
from sluice.risk.v1.approval_pb2 import SignedApproval


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def veto(*codes: risk.ReasonCode.ValueType) -> risk.EvaluateResponse:
    return risk.EvaluateResponse(veto=risk.Veto(reasons=[risk.VetoReason(code=code) for code in codes]))


def test_answers_are_counted_by_outcome_and_vetoes_by_every_reason() -> None:
    before = {name: value("sluice_risk_decisions_total", outcome=name) for name in ("approved", "vetoed", "repeated")}
    stale = value("sluice_risk_veto_reasons_total", reason="STALE_DATA")
    collar = value("sluice_risk_veto_reasons_total", reason="PRICE_COLLAR")
    metrics.count(risk.EvaluateResponse(approval=SignedApproval()))
    metrics.count(veto(risk.REASON_CODE_STALE_DATA, risk.REASON_CODE_PRICE_COLLAR))
    metrics.count(veto(risk.REASON_CODE_STALE_DATA))
    assert value("sluice_risk_decisions_total", outcome="approved") == before["approved"] + 1
    assert value("sluice_risk_decisions_total", outcome="vetoed") == before["vetoed"] + 2
    assert value("sluice_risk_decisions_total", outcome="repeated") == before["repeated"]
    assert value("sluice_risk_veto_reasons_total", reason="STALE_DATA") == stale + 2
    assert value("sluice_risk_veto_reasons_total", reason="PRICE_COLLAR") == collar + 1


def test_repeated_answer_counts_as_that_and_not_as_a_veto_again() -> None:
    repeated = value("sluice_risk_decisions_total", outcome="repeated")
    vetoed = value("sluice_risk_decisions_total", outcome="vetoed")
    stale = value("sluice_risk_veto_reasons_total", reason="STALE_DATA")
    answer = veto(risk.REASON_CODE_STALE_DATA)
    answer.repeated = True
    metrics.count(answer)
    assert value("sluice_risk_decisions_total", outcome="repeated") == repeated + 1
    assert value("sluice_risk_decisions_total", outcome="vetoed") == vetoed
    assert value("sluice_risk_veto_reasons_total", reason="STALE_DATA") == stale


def test_trading_state_is_shown_as_the_answer_has_it() -> None:
    metrics.count(risk.EvaluateResponse(
        portfolio=risk.PortfolioSnapshot(trading_state=risk.TRADING_STATE_HALTED)))
    assert value("sluice_risk_trading_state") == 3

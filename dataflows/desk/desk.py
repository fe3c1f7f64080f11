"""The desk itself: what the trading step asks of the three services at a tick.

Every call may be repeated after a crash of either side: deciding is idempotent by intent id, sending by decision id,
and time only goes forward. So a call that finds its service away waits for it and asks again, and nothing is
done twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

import grpc

from dataflows.actors.market import FeatureRow
from dataflows.actors.strategy_domain import CancelOrder, OrderReport, PlaceOrder, Prediction
from dataflows.desk import wire
from dataflows.desk.patience import AWAY, NotYetError, code_of, details_of, patiently
from dataflows.desk.reports import ReportReader
from sluice.envelope import client_order_id
from sluice.errors import SluiceError
from sluice.execution.v1 import execution_pb2 as execution
from sluice.execution.v1 import execution_pb2_grpc as execution_grpc
from sluice.inference.v1 import inference_pb2 as inference
from sluice.inference.v1 import inference_pb2_grpc as inference_grpc
from sluice.instruments import InstrumentCatalog
from sluice.risk.v1 import approval_pb2 as approvals
from sluice.risk.v1 import risk_pb2 as risk
from sluice.risk.v1 import risk_pb2_grpc as risk_grpc
from sluice.rpc import channel

CALL_DEADLINE_S: Final = 10.0
#: How long a service may be away: long enough for a restart and a replay of its journal.
PATIENCE_S: Final = 120.0
#: A venue plays its tape inside this call, and after a crash plays all of it again.
ADVANCE_DEADLINE_S: Final = 120.0
#: Refusals that say that the order is there already: another try of ours came before.
_ALREADY_SENT: Final = frozenset({"REPLAYED", "DUPLICATE_ORDER"})


class Sent(Enum):
    """What became of an approved order on its way to the venue."""

    #: It is at the venue or on its way there, by this call or by one before.
    YES = "yes"
    #: Definitely not, and never will be.
    NO = "no"
    #: Not, because risk has begun a new epoch since: ask risk once more, it may sign the same decision anew.
    STALE = "stale"


@dataclass(frozen=True, slots=True)
class Approved:
    """Risk said yes: the signed bytes to hand on, unread."""

    decision_id: str
    signed: approvals.SignedApproval


@dataclass(frozen=True, slots=True)
class Vetoed:
    """Risk said no, and why: names of the reason codes."""

    decision_id: str
    reasons: tuple[str, ...]


class Desk:
    """Calls inference, risk and execution. One thread uses it."""

    def __init__(self, addresses: tuple[str, str, str], catalog: InstrumentCatalog, strategy: str) -> None:
        inference_channel, risk_channel, execution_channel = map(channel, addresses)
        self._channels = (inference_channel, risk_channel, execution_channel)
        self._inference = inference_grpc.InferenceServiceStub(inference_channel)
        self._risk = risk_grpc.RiskServiceStub(risk_channel)
        self._execution = execution_grpc.ExecutionServiceStub(execution_channel)
        self._simulation = execution_grpc.SimulationServiceStub(execution_channel)
        self._reports = ReportReader(execution_channel, patience_s=PATIENCE_S)
        self._catalog = catalog
        self._strategy = strategy
        self._observed = risk.ObserveMarketRequest()
        self._advanced = execution.AdvanceToRequest()

    def close(self) -> None:
        """Close the channels."""
        for opened in self._channels:
            opened.close()

    def advance(self, event_time_ns: int) -> int:
        """Play the simulated venue up to a time; return the sequence of the last report until then."""
        self._advanced = execution.AdvanceToRequest(event_time_ns=event_time_ns)
        return patiently("execution", self._advance_again, patience_s=PATIENCE_S).report_sequence

    def _advance_again(self) -> execution.AdvanceToResponse:
        return self._simulation.AdvanceTo(self._advanced, timeout=ADVANCE_DEADLINE_S)

    def reports(self, after: int, until: int) -> list[OrderReport]:
        """Return execution's reports after one sequence up to another."""
        return self._reports.between(after, until)

    def observe(self, event_time_ns: int, rows: Sequence[FeatureRow], after_report: int) -> None:
        """Tell risk what the market is. Kept, so that a restarted risk service can be told again."""
        tops = [wire.top_message(row.top, self._catalog.require(row.instrument)) for row in rows]
        self._observed = risk.ObserveMarketRequest(
            event_time_ns=event_time_ns, tops=tops, after_report_sequence=after_report)
        patiently("risk", self._observe_again, patience_s=PATIENCE_S)

    def _observe_again(self) -> None:
        self._risk.ObserveMarket(self._observed, timeout=CALL_DEADLINE_S)

    def predict(self, rows: Sequence[FeatureRow], fractions: Sequence[float]) -> list[Prediction]:
        """Return a prediction for each row."""
        request = inference.PredictRequest(
            schema_hash=rows[0].schema_hash,
            rows=[wire.row_message(row, part) for row, part in zip(rows, fractions, strict=True)])
        answer = patiently(
            "inference", lambda: self._inference.Predict(request, timeout=CALL_DEADLINE_S), patience_s=PATIENCE_S)
        return [wire.prediction_of(message, answer.model_version) for message in answer.predictions]

    def evaluate(self, place: PlaceOrder, model_version: str, after_report: int) -> Approved | Vetoed:
        """Ask risk about an intent."""
        request = risk.EvaluateRequest(
            intent=wire.intent_message(place, self._strategy, model_version), after_report_sequence=after_report)
        answer = patiently(
            "risk", lambda: self._risk.Evaluate(request, timeout=CALL_DEADLINE_S),
            patience_s=PATIENCE_S, before_retry=self._observe_again)
        if answer.WhichOneof("decision") == "approval":
            return Approved(answer.decision_id, answer.approval)
        return Vetoed(answer.decision_id, tuple(_code_name(reason.code) for reason in answer.veto.reasons))

    def submit(self, approved: Approved) -> Sent:
        """Send an approved order and return what became of it."""
        request = execution.SubmitOrderRequest(approval=approved.signed)
        return patiently(
            "execution", lambda: self._submit(request, approved.decision_id),
            patience_s=PATIENCE_S, before_retry=self._tell_time)

    def _tell_time(self) -> None:
        """Tell a restarted execution how late it is: it sends nothing before it knows."""
        self._advance_again()

    def _submit(self, request: execution.SubmitOrderRequest, decision_id: str) -> Sent:
        try:
            self._execution.SubmitOrder(request, timeout=CALL_DEADLINE_S)
        except grpc.RpcError as error:
            if code_of(error) in AWAY:
                raise
            return self._refused(_refusal(error), decision_id)
        return Sent.YES

    def _refused(self, refusal: str, decision_id: str) -> Sent:
        if refusal == "NONCE_STORE":
            raise NotYetError("Redis does not answer execution")
        if refusal == "STALE_EPOCH":
            return Sent.STALE
        return Sent.YES if refusal in _ALREADY_SENT and self._exists(decision_id) else Sent.NO

    def _exists(self, decision_id: str) -> bool:
        try:
            self._execution.GetOrder(execution.GetOrderRequest(decision_id=decision_id), timeout=CALL_DEADLINE_S)
        except grpc.RpcError as error:
            if code_of(error) is grpc.StatusCode.NOT_FOUND:
                return False
            raise
        return True

    def cancel(self, cancel: CancelOrder) -> None:
        """Ask execution to take an order back. The outcome comes as a report."""
        request = execution.CancelOrderRequest(client_order_id=cancel.client_order_id, reason=cancel.reason)
        patiently(
            "execution", lambda: self._execution.CancelOrder(request, timeout=CALL_DEADLINE_S),
            patience_s=PATIENCE_S, before_retry=self._tell_time)

    def cancel_all(self, reason: str) -> None:
        """Ask execution to take every open order back."""
        request = execution.CancelAllRequest(reason=reason)
        patiently(
            "execution", lambda: self._execution.CancelAll(request, timeout=CALL_DEADLINE_S),
            patience_s=PATIENCE_S, before_retry=self._tell_time)


def order_id(decision_id: str) -> str:
    """Return the client order id of a decision."""
    return client_order_id(decision_id)


def _code_name(code: int) -> str:
    return risk.ReasonCode.Name(risk.ReasonCode.ValueType(code)).removeprefix("REASON_CODE_")


def _refusal(error: grpc.RpcError) -> str:
    if not isinstance(error, grpc.Call):
        raise SluiceError(f"execution refused the call: {details_of(error)}") from error
    return next((str(value) for key, value in error.trailing_metadata() or () if key == "sluice-refusal"), "")

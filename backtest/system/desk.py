"""The trading step's desk without a network: it hands the contracts' messages to the services' own classes.

What goes in and comes out is what goes over gRPC, message for message; only what can fail on a network is missing, and
with it the patience. The engines are written for an event loop, which is run here for one call at a time.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any, Final, TypeVar

from backtest.system.rooms import Rooms
from dataflows.actors.market import FeatureRow
from dataflows.actors.strategy_domain import CancelOrder, OrderReport, PlaceOrder, Prediction
from dataflows.desk import wire
from dataflows.desk.desk import Approved, Sent, Vetoed
from execution.gate import ApprovalRefusedError
from inference.runtime import LoadedBundle
from inference.service import predict
from sluice.envelope import Refusal
from sluice.execution.v1.execution_pb2 import ExecutionReport
from sluice.inference.v1 import inference_pb2 as inference
from sluice.instruments import InstrumentCatalog
from sluice.risk.v1 import risk_pb2 as risk

_Result = TypeVar("_Result")
#: Refusals that say that the order is there already.
_ALREADY_SENT: Final = frozenset({Refusal.REPLAYED, Refusal.DUPLICATE_ORDER})
_LONGEST_REASON: Final = 500


class InProcessDesk:
    """Calls inference, risk and execution of this process. One thread uses it, outside of the loop."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, rooms: Rooms, bundle: LoadedBundle, catalog: InstrumentCatalog,
        strategy: str,
    ) -> None:
        self._loop = loop
        self._rooms = rooms
        self._bundle = bundle
        self._catalog = catalog
        self._strategy = strategy

    def advance(self, event_time_ns: int) -> int:
        """Play the venue up to a time; return the sequence of the last report until then."""
        room = self._rooms.execution
        return self._run(room.desk.exclusively(room.desk.advance(room.time, event_time_ns)))

    def reports(self, after: int, until: int) -> list[OrderReport]:
        """Return execution's reports after one sequence up to another."""
        found = self._rooms.execution.journal.between(after, until)
        return [wire.report_of(ExecutionReport.FromString(raw)) for raw in found]

    def observe(self, event_time_ns: int, rows: Sequence[FeatureRow], after_report: int) -> None:
        """Tell risk what the market is."""
        tops = [wire.top_message(row.top, self._catalog.require(row.instrument)) for row in rows]
        self._run(self._rooms.risk.observe(risk.ObserveMarketRequest(
            event_time_ns=event_time_ns, tops=tops, after_report_sequence=after_report)))

    def predict(self, rows: Sequence[FeatureRow], fractions: Sequence[float]) -> list[Prediction]:
        """Return a prediction for each row."""
        messages = [wire.row_message(row, part) for row, part in zip(rows, fractions, strict=True)]
        answer = predict(self._bundle, inference.PredictRequest(schema_hash=rows[0].schema_hash, rows=messages))
        return [wire.prediction_of(message, answer.model_version) for message in answer.predictions]

    def evaluate(self, place: PlaceOrder, model_version: str, after_report: int) -> Approved | Vetoed:
        """Ask risk about an intent."""
        answer = self._run(self._rooms.risk.evaluate(risk.EvaluateRequest(
            intent=wire.intent_message(place, self._strategy, model_version), after_report_sequence=after_report)))
        if answer.WhichOneof("decision") == "approval":
            return Approved(answer.decision_id, answer.approval)
        names = [risk.ReasonCode.Name(reason.code).removeprefix("REASON_CODE_") for reason in answer.veto.reasons]
        return Vetoed(answer.decision_id, tuple(names))

    def submit(self, approved: Approved) -> Sent:
        """Send an approved order and return what became of it."""
        room = self._rooms.execution
        try:
            self._run(room.desk.exclusively(room.submission.submit(approved.signed)))
        except ApprovalRefusedError as refused:
            if refused.refusal is Refusal.STALE_EPOCH:
                return Sent.STALE
            there = room.desk.ledger.of_decision(approved.decision_id) is not None
            return Sent.YES if refused.refusal in _ALREADY_SENT and there else Sent.NO
        return Sent.YES

    def cancel(self, cancel: CancelOrder) -> None:
        """Ask execution to take an order back."""
        room, reason = self._rooms.execution, cancel.reason[:_LONGEST_REASON]
        self._run(room.desk.exclusively(room.cancellation.cancel(cancel.client_order_id, reason)))

    def cancel_all(self, reason: str) -> None:
        """Ask execution to take every open order back."""
        room = self._rooms.execution
        self._run(room.desk.exclusively(room.cancellation.cancel_all("", reason[:_LONGEST_REASON])))

    def _run(self, call: Coroutine[Any, Any, _Result]) -> _Result:
        return self._loop.run_until_complete(self._delivered(call))

    async def _delivered(self, call: Coroutine[Any, Any, _Result]) -> _Result:
        """Carry a call out, and bring risk the reports that it led to."""
        try:
            return await call
        finally:
            await self._rooms.deliver()

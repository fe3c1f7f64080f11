"""The gRPC face of risk: turns calls into the gate's, and recorded decisions into a stream."""

from collections.abc import AsyncIterator
from typing import Any, Final

import grpc

from risk import metrics
from risk.domain import TradingState
from risk.execution_client import ExecutionClient
from risk.gate import Gate
from risk.journal import Journal
from risk.operators import OperatorCommand, carry_out
from risk.records import DecisionRecord
from risk.snapshots import limits_message, portfolio_snapshot
from sluice.errors import InputError, NotRunningError
from sluice.risk.v1 import risk_pb2 as risk
from sluice.risk.v1.order_pb2 import Order
from sluice.risk.v1.risk_pb2_grpc import RiskServiceServicer

Context = grpc.aio.ServicerContext[Any, Any]
#: Decisions read from the journal at once.
PAGE: Final = 500


class RiskService(RiskServiceServicer):
    """Answers the contract's calls."""

    def __init__(self, gate: Gate, journal: Journal, execution: ExecutionClient) -> None:
        self._gate = gate
        self._journal = journal
        self._execution = execution

    async def Evaluate(  # noqa: N802  # the contract's name
        self, request: risk.EvaluateRequest, _context: Context
    ) -> risk.EvaluateResponse:
        """Decide on an intent, once."""
        answer = await self._gate.evaluate(request)
        metrics.count(answer)
        return answer

    async def ObserveMarket(  # noqa: N802
        self, request: risk.ObserveMarketRequest, _context: Context
    ) -> risk.ObserveMarketResponse:
        """Take in the market of a tick."""
        state = await self._gate.observe(request)
        metrics.TRADING_STATE.set(state.value)
        return risk.ObserveMarketResponse(trading_state=_state(state))

    async def GetPortfolio(  # noqa: N802
        self, _request: risk.GetPortfolioRequest, _context: Context
    ) -> risk.GetPortfolioResponse:
        """Return the account as risk counts it."""
        if not self._gate.ready:
            raise NotRunningError("risk must have rebuilt its state, has not", fix="wait until its health is SERVING")
        return risk.GetPortfolioResponse(portfolio=portfolio_snapshot(self._gate.engine, self._gate.risk_epoch))

    async def GetLimits(  # noqa: N802
        self, _request: risk.GetLimitsRequest, _context: Context
    ) -> risk.GetLimitsResponse:
        """Return the limits in force."""
        return limits_message(self._gate.engine.limits)

    async def StreamDecisions(  # noqa: N802
        self, request: risk.StreamDecisionsRequest, _context: Context
    ) -> AsyncIterator[risk.StreamDecisionsResponse]:
        """Yield the recorded decisions from a sequence on, then each new one as it is made."""
        if request.from_sequence < 1:
            raise InputError(f"from_sequence must be at least 1, was {request.from_sequence}")
        wanted = request.from_sequence
        while True:
            for record in await self._journal.decisions(wanted, PAGE):
                yield risk.StreamDecisionsResponse(decision=decision_message(record))
                wanted = record.sequence + 1
            async with self._gate.decided:
                await self._gate.decided.wait_for(self._has(wanted))

    async def Halt(self, request: risk.HaltRequest, _context: Context) -> risk.HaltResponse:  # noqa: N802
        """Refuse everything from now on; cancel open orders where asked."""
        command = OperatorCommand(TradingState.HALTED, request.operator, request.reason)
        previous, epoch = await carry_out(command, self._gate, self._journal)
        if request.cancel_open_orders:
            await self._execution.cancel_all(f"halted by {request.operator}: {request.reason}")
        return risk.HaltResponse(previous_state=_state(previous), risk_epoch=epoch)

    async def ReduceOnly(  # noqa: N802
        self, request: risk.ReduceOnlyRequest, _context: Context
    ) -> risk.ReduceOnlyResponse:
        """Let only reducing orders pass."""
        command = OperatorCommand(TradingState.REDUCING, request.operator, request.reason)
        previous, epoch = await carry_out(command, self._gate, self._journal)
        return risk.ReduceOnlyResponse(previous_state=_state(previous), risk_epoch=epoch)

    async def Resume(self, request: risk.ResumeRequest, _context: Context) -> risk.ResumeResponse:  # noqa: N802
        """Go back to normal trading and release the drawdown latches."""
        command = OperatorCommand(TradingState.ACTIVE, request.operator, request.reason)
        previous, epoch = await carry_out(command, self._gate, self._journal)
        return risk.ResumeResponse(previous_state=_state(previous), risk_epoch=epoch)

    def _has(self, sequence: int) -> Any:
        return lambda: self._gate.last_sequence >= sequence


def decision_message(record: DecisionRecord) -> risk.Decision:
    """Return a journalled decision as a message."""
    return risk.Decision(
        sequence=record.sequence,
        decision_id=record.decision_id,
        intent=risk.OrderIntent.FromString(record.intent),
        approved=record.approved,
        order=Order.FromString(record.order_bytes),
        reasons=risk.Veto.FromString(record.reasons).reasons,
        event_time_ns=record.event_time_ns,
        risk_epoch=record.risk_epoch,
    )


def _state(state: TradingState) -> risk.TradingState.ValueType:
    return risk.TradingState.ValueType(state.value)

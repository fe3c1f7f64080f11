"""Risk and execution as the command line meets them: real gRPC, answers that a test chooses."""

from typing import Any

import grpc

from sluice.execution.v1 import execution_pb2, execution_pb2_grpc
from sluice.risk.v1 import order_pb2, risk_pb2, risk_pb2_grpc


class Risk(risk_pb2_grpc.RiskServiceServicer):
    """Keeps the requests of operators and a trading state."""

    def __init__(self) -> None:
        self.requests: list[Any] = []
        self.state = risk_pb2.TRADING_STATE_ACTIVE
        self.epoch = 3
        self.refusal: tuple[grpc.StatusCode, str] | None = None

    def _change(self, request: Any, context: grpc.ServicerContext, state: Any, answer: Any) -> Any:
        if self.refusal:
            context.abort(*self.refusal)
        self.requests.append(request)
        previous, self.state = self.state, state
        self.epoch += 1
        return answer(previous_state=previous, risk_epoch=self.epoch)

    def Halt(self, request: Any, context: Any) -> Any:  # noqa: N802  # the contract's name
        return self._change(request, context, risk_pb2.TRADING_STATE_HALTED, risk_pb2.HaltResponse)

    def ReduceOnly(self, request: Any, context: Any) -> Any:  # noqa: N802  # the contract's name
        return self._change(request, context, risk_pb2.TRADING_STATE_REDUCING, risk_pb2.ReduceOnlyResponse)

    def Resume(self, request: Any, context: Any) -> Any:  # noqa: N802  # the contract's name
        return self._change(request, context, risk_pb2.TRADING_STATE_ACTIVE, risk_pb2.ResumeResponse)

    def GetPortfolio(self, request: Any, context: Any) -> Any:  # noqa: N802  # the contract's name
        return risk_pb2.GetPortfolioResponse(portfolio=risk_pb2.PortfolioSnapshot(
            event_time_ns=1_770_000_000_250_000_000, report_sequence=17, trading_state=self.state,
            risk_epoch=self.epoch,
            positions=[risk_pb2.Position(instrument="BINANCE_USDM:BTCUSDT", quantity="-0.25", entry_price="61000.1")],
            equity=[risk_pb2.Equity(asset="USDT", balance="100000", equity="100012.5")]))


class Execution(execution_pb2_grpc.ExecutionServiceServicer):
    """Has one open order."""

    def ListOrders(self, request: Any, context: Any) -> Any:  # noqa: N802  # the contract's name
        assert request.open_only
        order = order_pb2.Order(
            instrument="BINANCE_USDM:BTCUSDT", side=order_pb2.SIDE_BUY, quantity="0.3", price="60000.5")
        return execution_pb2.ListOrdersResponse(orders=[execution_pb2.OrderState(
            client_order_id="sl1", order=order, status=execution_pb2.ORDER_STATUS_ACCEPTED, filled_quantity="0.1")])


def a_risk() -> Risk:
    return Risk()  # type: ignore[abstract]  # what the command line does not call answers UNIMPLEMENTED


def an_execution() -> Execution:
    return Execution()  # type: ignore[abstract]  # the same

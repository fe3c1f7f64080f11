"""A risk service in a process of its own, against real stores, with a small real gRPC server in execution's place.

The stand-in journals nothing and decides nothing: it serves the reports that a test gives it, and notes what it is
asked.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent import futures
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import grpc

from sluice.envelope import ApprovalRefused, ApprovedOrder, ExpectedAudience, verify
from sluice.execution.v1 import execution_pb2 as execution
from sluice.execution.v1.execution_pb2_grpc import (
    ExecutionServiceServicer,
    add_ExecutionServiceServicer_to_server,
)
from sluice.keys import load_public_keys
from sluice.market.v1.market_pb2 import BookTop
from sluice.risk.v1 import order_pb2 as orders
from sluice.risk.v1 import risk_pb2 as risk
from sluice.risk.v1.approval_pb2 import Approval, SignedApproval
from sluice.risk.v1.risk_pb2_grpc import RiskServiceStub
from sluice.rpc import channel, wait_serving
from sluice.stores.embedded import StoreUrls
from sluice.stores.redis import EXECUTION_JOURNAL_KEY, connect_sync, key

BTC = "BINANCE_USDM:BTCUSDT"
ETH = "BINANCE_USDM:ETHUSDT"
COIN = "BINANCE_COINM:BTCUSD_PERP"
PRICES = {BTC: "50000", ETH: "2000", COIN: "50000"}
STEPS = {BTC: "0.1", ETH: "0.01", COIN: "0.1"}
#: Wednesday, 2026-06-10 12:00 UTC.
NOON = 1_781_092_800_000_000_000
SECOND = 1_000_000_000


class ReportingExecution(ExecutionServiceServicer):
    """Serves reports in sequence, and notes the approvals it is asked to void and the cancels."""

    def __init__(self) -> None:
        self._reports: list[execution.ExecutionReport] = []
        self._changed = threading.Condition()
        self.voided: list[SignedApproval] = []
        self.cancelled: list[str] = []
        self.journal_id = "stand-in"

    def report(self, kind: execution.ReportKind.ValueType, decision_id: str, **fields: object) -> int:
        """Add a report and return its sequence."""
        with self._changed:
            sequence = len(self._reports) + 1
            made = execution.ExecutionReport(sequence=sequence, kind=kind, decision_id=decision_id)
            made.MergeFrom(execution.ExecutionReport(**fields))  # type: ignore[arg-type]
            self._reports.append(made)
            self._changed.notify_all()
            return sequence

    def fill(self, answer: risk.EvaluateResponse, quantity: str, price: str, time_ns: int = NOON, **more: str) -> int:
        """Report that an approved order has filled for good."""
        order = orders.Order.FromString(approval_of(answer).order)
        trade = execution.Fill(trade_id=answer.decision_id, quantity=quantity, price=price, **more)  # type: ignore[arg-type]
        return self.report(
            execution.REPORT_KIND_FILL, answer.decision_id, event_time_ns=time_ns, instrument=order.instrument,
            side=order.side, status=execution.ORDER_STATUS_FILLED, fill=trade)

    def StreamReports(  # noqa: N802
        self, request: execution.StreamReportsRequest, context: grpc.ServicerContext
    ) -> Iterator[execution.StreamReportsResponse]:
        wanted = request.from_sequence
        yield execution.StreamReportsResponse(last_sequence=len(self._reports), journal_id=self.journal_id)
        while context.is_active():
            with self._changed:
                self._changed.wait(timeout=0.0 if len(self._reports) >= wanted else 0.1)
                ready = self._reports[wanted - 1:]
            for report in ready:
                yield execution.StreamReportsResponse(report=report, last_sequence=len(self._reports))
                wanted = report.sequence + 1

    def VoidApproval(  # noqa: N802
        self, request: execution.VoidApprovalRequest, context: grpc.ServicerContext
    ) -> execution.VoidApprovalResponse:
        self.voided.append(request.approval)
        decision_id = Approval.FromString(request.approval.payload).decision_id
        self.report(execution.REPORT_KIND_NOT_SENT, decision_id, event_time_ns=NOON)
        return execution.VoidApprovalResponse(voided=True)

    def CancelAll(  # noqa: N802
        self, request: execution.CancelAllRequest, context: grpc.ServicerContext
    ) -> execution.CancelAllResponse:
        self.cancelled.append(request.reason)
        return execution.CancelAllResponse()

    def _unused(self, request: object, context: grpc.ServicerContext) -> None:
        context.abort(grpc.StatusCode.UNIMPLEMENTED, "not part of this test")

    SubmitOrder = CancelOrder = GetOrder = ListOrders = Reconcile = _unused  # type: ignore[assignment]


@dataclass
class RiskWorld:
    """One namespace: its stores, execution's stand-in, and the risk process, which may be killed and started again."""

    folder: Path
    namespace: str
    urls: StoreUrls
    execution: ReportingExecution
    execution_address: str
    server: grpc.Server
    clock: str = "event"
    risk_address: str = "127.0.0.1:0"
    limits: dict[str, str] = field(default_factory=dict)
    process: "subprocess.Popen[str] | None" = None
    address: str = ""
    channels: list[grpc.Channel] = field(default_factory=list)

    def start(self) -> RiskServiceStub:
        """Start the process, wait until it serves, and return a client."""
        wait_serving(self.spawn(), timeout_s=30)
        opened = channel(self.address)
        self.channels.append(opened)
        return RiskServiceStub(opened)

    def spawn(self) -> str:
        """Start the process and return the address that it has bound; it may not serve yet."""
        self.close()
        with connect_sync(self.urls.redis_url) as client:
            client.set(key(self.namespace, EXECUTION_JOURNAL_KEY), "stand-in")
        environ = os.environ | self._environ()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "sluice", "serve", "risk"], env=environ, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith("risk listens on "), line
        self.address = line.split()[-1]
        return self.address

    def kill(self) -> None:
        """End the process as a power cut would."""
        assert self.process is not None
        self.process.kill()
        self.ended()

    def stop(self) -> int:
        """Ask the process to end and return its exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.ended()

    def ended(self) -> int:
        """Wait until the process has ended by itself and return its exit code."""
        assert self.process is not None
        code = self.process.wait(timeout=20)
        if self.process.stdout is not None:
            self.process.stdout.close()
        return code

    def close(self) -> None:
        """End what still runs."""
        while self.channels:
            self.channels.pop().close()
        if self.process is not None and self.process.poll() is None:
            self.kill()

    def execution_away(self) -> None:
        """Take execution's stand-in off its address."""
        self.server.stop(0).wait()

    def execution_back(self) -> None:
        """Put it back on the same address."""
        self.server, _ = _serving(self.execution, self.execution_address)

    def verified(self, answer: risk.EvaluateResponse, now_ns: int = NOON) -> ApprovedOrder | ApprovalRefused:
        """Verify an approval as execution does."""
        audience = ExpectedAudience("execution-1", "main", "BINANCE_USDM", "simulated")
        return verify(answer.approval, load_public_keys(self.folder / "keys"), audience, now_ns)

    def _environ(self) -> dict[str, str]:
        return {
            "SLUICE_RUN__NAMESPACE": self.namespace,
            "SLUICE_RUN__DATA_DIR": str(self.folder),
            "SLUICE_RUN__CLOCK": self.clock,
            "SLUICE_STORES__POSTGRES_URL": self.urls.postgres_url,
            "SLUICE_STORES__REDIS_URL": self.urls.redis_url,
            "SLUICE_RISK__ADDRESS": self.risk_address,
            "SLUICE_EXECUTION__ADDRESS": self.execution_address,
            **{f"SLUICE_RISK__LIMITS__{name.upper()}": value for name, value in self.limits.items()},
        }


@contextmanager
def risk_world(stores: StoreUrls, folder: Path, **options: object) -> Iterator[RiskWorld]:
    """Give a world with execution's stand-in running and risk not yet started."""
    stand_in = ReportingExecution()
    server, address = _serving(stand_in, "127.0.0.1:0")
    world = RiskWorld(
        folder, f"t{time.time_ns()}", stores, stand_in, address, server, **options)  # type: ignore[arg-type]
    try:
        yield world
    finally:
        world.close()
        world.server.stop(0)


def _serving(stand_in: ReportingExecution, address: str) -> tuple[grpc.Server, str]:
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=16))
    add_ExecutionServiceServicer_to_server(stand_in, server)
    port = server.add_insecure_port(address)
    server.start()
    return server, f"127.0.0.1:{port}"


def approval_of(answer: risk.EvaluateResponse) -> Approval:
    """The approval inside an answer."""
    return Approval.FromString(answer.approval.payload)


def market(time_ns: int = NOON, after: int = 0, **prices: str) -> risk.ObserveMarketRequest:
    """The market of all three instruments."""
    return risk.ObserveMarketRequest(event_time_ns=time_ns, after_report_sequence=after, tops=[
        BookTop(instrument=key, event_time_ns=time_ns, best_bid=price, best_bid_quantity="5",
                best_ask=str(float(price) + float(STEPS[key])), best_ask_quantity="5", mark_price=price, synced=True)
        for key, price in _priced(prices).items()
    ])


def _priced(prices: dict[str, str]) -> dict[str, str]:
    named = {"BTC": BTC, "ETH": ETH, "COIN": COIN}
    return PRICES | {named[name]: price for name, price in prices.items()}


def request(
    intent_id: str, time_ns: int = NOON, after: int = 0, *, side: orders.Side.ValueType = orders.SIDE_BUY,
    quantity: str = "0.1", instrument: str = BTC, reduce_only: bool = False, price: str = ""
) -> risk.EvaluateRequest:
    """A request for a limit order at the mark price."""
    order = orders.Order(
        instrument=instrument, side=side, position_side=orders.POSITION_SIDE_BOTH, type=orders.ORDER_TYPE_LIMIT,
        time_in_force=orders.TIME_IN_FORCE_GTC, quantity=quantity, price=price or PRICES[instrument],
        self_trade_prevention=orders.SELF_TRADE_PREVENTION_EXPIRE_MAKER, price_match=orders.PRICE_MATCH_NONE,
        reduce_only=reduce_only, algorithm=orders.Algorithm(kind=orders.ALGORITHM_KIND_NONE))
    return risk.EvaluateRequest(
        intent=risk.OrderIntent(
            intent_id=intent_id, strategy="follow", order=order, event_time_ns=time_ns, model_version="m1",
            average_true_range="" if reduce_only else "1"),
        after_report_sequence=after)


def reason_names(answer: risk.EvaluateResponse) -> set[str]:
    """The names of a veto's codes."""
    return {risk.ReasonCode.Name(reason.code).removeprefix("REASON_CODE_") for reason in answer.veto.reasons}

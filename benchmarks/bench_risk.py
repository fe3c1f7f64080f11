"""Speed of risk: decisions in process, and the round trip of a journalled one, against an empty echo in the same run.

    python -m benchmarks.bench_risk [--rounds 5] [--decisions 400]

In process: the engine with all its checks, sizing and reservations (`decide` and `commit`), and the same with the
signed approval. Over gRPC: `Evaluate` on a real service process with PostgreSQL and Redis, every decision committed
before it is answered, and a server process that answers an empty message to the same client. Rounds alternate; medians
of the rounds are compared. Orders are cancelled again every 20 decisions, so that open reservations stay at what an
account has.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent import futures
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

import grpc
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from risk.approvals import ApprovalIssuer, Fence, order_bytes, replayable_nonce
from risk.domain import ExecutionReport
from risk.engine import Decision, DecisionTimes, RiskEngine
from risk.wire import read_intent, read_top
from sluice.config.settings import LimitSettings, RunSettings, Settings
from sluice.envelope import Signer
from sluice.execution.v1 import execution_pb2 as execution
from sluice.instruments import InstrumentCatalog
from sluice.orders import ReportKind
from sluice.risk.v1 import risk_pb2 as risk
from sluice.rpc import channel
from sluice.stores.embedded import stores
from tests.integration.risk_world import NOON, RiskWorld, market, request, risk_world

LIMITS: Final = {"max_orders_per_window": "1000000"}
Result = TypeVar("Result")
ECHO: Final = "/benchmark.Echo/Echo"
AT_ONCE: Final = 20


class Probe:
    """Times calls in nanoseconds."""

    def __init__(self) -> None:
        self.taken: list[int] = []

    def call(self, work: Callable[[], Result]) -> Result:
        """Run and time one call."""
        began = time.perf_counter_ns()
        result = work()
        self.taken.append(time.perf_counter_ns() - began)
        return result

    def percentile_us(self, fraction: float) -> float:
        """Return a percentile in microseconds."""
        return sorted(self.taken)[int(fraction * (len(self.taken) - 1))] / 1_000


class InProcess:
    """An engine that decides on one order after the other and sees each cancelled."""

    def __init__(self) -> None:
        limits = LimitSettings(max_orders_per_window=1_000_000)
        self.engine = RiskEngine(InstrumentCatalog.shipped(), limits, Settings().account.balances)
        observation = self.engine.observe(NOON, map(read_top, market().tops))
        assert observation is not None
        self.engine.accept(observation)
        self.issuer = ApprovalIssuer(Signer(Ed25519PrivateKey.generate()), Settings(), replayable_nonce)
        self.intent = read_intent(request("i", quantity="0.002").intent)
        self.number = 0
        self.open: list[Decision] = []

    def decide(self) -> Decision:
        """Decide on the next order and let it count."""
        self.number += 1
        decision = self.engine.decide(self.intent, f"d-{self.number}", DecisionTimes(NOON, NOON))
        self.engine.commit(decision)
        self.open.append(decision)
        return decision

    def decide_and_sign(self) -> None:
        """Do the same and sign it."""
        decision = self.decide()
        self.issuer.issue(decision, order_bytes(decision), NOON, Fence(1, ""))

    def settle(self) -> None:
        """See every open order cancelled."""
        for decision in self.open:
            sequence = self.engine.portfolio.report_sequence + 1
            self.engine.apply_report(ExecutionReport(
                sequence, NOON, ReportKind.CANCELED, decision.decision_id, decision.order.instrument,
                decision.order.side, final=True))
        self.open.clear()


def in_process(decisions: int, *, signing: bool) -> Probe:
    """Time decisions of an engine in this process."""
    desk, probe = InProcess(), Probe()
    for number in range(decisions):
        probe.call(desk.decide_and_sign if signing else desk.decide)
        if number % AT_ONCE == AT_ONCE - 1:
            desk.settle()
    return probe


class OverGrpc:
    """A client of a running risk service, whose orders are cancelled by the stand-in of execution."""

    def __init__(self, world: RiskWorld) -> None:
        self.world, self.client = world, world.start()
        self.tick, self.last, self.number = NOON, 0, 0
        self.client.ObserveMarket(market(self.tick))

    def round(self, decisions: int) -> Probe:
        """Time calls of Evaluate."""
        probe = Probe()
        for _ in range(decisions // AT_ONCE):
            answers: list[risk.EvaluateResponse] = []
            for _ in range(AT_ONCE):
                self.number += 1
                wanted = request(f"i/{self.number}", self.tick, self.last, quantity="0.002")
                answers.append(probe.call(partial(self.client.Evaluate, wanted)))
            assert all(answer.HasField("approval") for answer in answers)
            self._settle(answers)
        return probe

    def _settle(self, answers: list[risk.EvaluateResponse]) -> None:
        for answer in answers:
            self.last = self.world.execution.report(
                execution.REPORT_KIND_CANCELED, answer.decision_id, event_time_ns=self.tick,
                status=execution.ORDER_STATUS_CANCELED)
        self.tick += 1_000_000_000
        self.client.ObserveMarket(market(self.tick, self.last))


def echo_server() -> None:
    """Serve an empty answer until the process is ended; prints the port."""
    handler: grpc.RpcMethodHandler[bytes, bytes] = grpc.unary_unary_rpc_method_handler(lambda _request, _context: b"")
    server = grpc.server(futures.ThreadPoolExecutor(2))
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("benchmark.Echo", {"Echo": handler}),))
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)
    server.start()
    server.wait_for_termination()


def echo_round(opened: grpc.Channel, calls: int) -> Probe:
    """Time empty calls."""
    call: grpc.UnaryUnaryMultiCallable[bytes, bytes] = opened.unary_unary(ECHO)
    probe = Probe()
    for _ in range(calls):
        probe.call(partial(call, b""))
    return probe


def show(name: str, probes: list[Probe]) -> float:
    """Print the medians of the rounds and return the median latency in microseconds."""
    median, p99 = (statistics.median(p.percentile_us(q) for p in probes) for q in (0.5, 0.99))
    rate = statistics.median(len(p.taken) / (sum(p.taken) / 1e9) for p in probes)
    print(f"{name:34} {rate:10,.0f}/s   p50 {median:8.1f} us   p99 {p99:8.1f} us")
    return median


def run(rounds: int, decisions: int) -> None:
    """Run all rounds and print the comparison."""
    with tempfile.TemporaryDirectory() as folder, subprocess.Popen(
            [sys.executable, "-m", "benchmarks.bench_risk", "--echo"], stdout=subprocess.PIPE, text=True) as echo:
        assert echo.stdout is not None
        opened = channel(f"127.0.0.1:{echo.stdout.readline().strip()}")
        try:
            with stores(Settings(run=RunSettings(data_dir=Path(folder)))) as urls, \
                    risk_world(urls, Path(folder), limits=LIMITS) as world:
                _compare(OverGrpc(world), opened, rounds, decisions)
        finally:
            opened.close()
            echo.kill()


def _compare(service: OverGrpc, opened: grpc.Channel, rounds: int, decisions: int) -> None:
    service.round(100)
    echo_round(opened, 100)
    plain, signed, echoes, served = [], [], [], []
    for _ in range(rounds):
        plain.append(in_process(decisions * 5, signing=False))
        signed.append(in_process(decisions * 5, signing=True))
        echoes.append(echo_round(opened, decisions))
        served.append(service.round(decisions))
    engine, with_signature = show("engine, in process", plain), show("engine and signature, in process", signed)
    empty, answered = show("empty echo over gRPC", echoes), show("Evaluate over gRPC, journalled", served)
    print(f"signature costs {with_signature - engine:.1f} us; Evaluate / echo = {answered / empty:.2f}")


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--decisions", type=int, default=400)
    parser.add_argument("--echo", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    echo_server() if chosen.echo else run(chosen.rounds, chosen.decisions)


if __name__ == "__main__":
    main()

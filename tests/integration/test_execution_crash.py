"""`kill -9` of a real `sluice serve execution` with the simulated venue: the reports are those of an undisturbed run,
byte for byte.
"""

import hashlib
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import pytest

from backtest.synthetic import DEFAULT_START_NS, make_tape
from sluice.envelope import client_order_id
from sluice.execution.v1 import execution_pb2 as messages
from sluice.execution.v1.execution_pb2_grpc import ExecutionServiceStub, SimulationServiceStub
from sluice.risk.v1 import order_pb2
from sluice.risk.v1.approval_pb2 import SignedApproval
from sluice.rpc import channel, wait_serving
from sluice.stores.embedded import StoreUrls
from tests.execution.rig import Approver, an_order_message

SECOND = 1_000_000_000
TICKS = 24
ROOT = Path(__file__).parents[2]


@dataclass
class Process:
    """The service as its own process, which can be killed and started again."""

    folder: Path
    namespace: str
    urls: StoreUrls
    tape: Path
    running: "subprocess.Popen[bytes] | None" = None
    starts: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def address(self) -> str:
        return f"unix:{self.folder}/x.sock"

    def start(self) -> None:
        self.starts += 1
        config = self.folder / "sluice.toml"
        config.write_text(
            f'[run]\ndata_dir = "{self.folder}"\nnamespace = "{self.namespace}"\n'
            f'[source]\ntapes = ["{self.tape}"]\n[execution]\naddress = "{self.address}"\n'
            f'[stores]\npostgres_url = "{self.urls.postgres_url}"\nredis_url = "{self.urls.redis_url}"\n')
        with (self.folder / "log").open("ab") as log, (self.folder / "out").open("ab") as out:
            self.running = subprocess.Popen(
                [sys.executable, "-m", "sluice", "serve", "execution", "--config", str(config)],
                cwd=ROOT, stdout=out, stderr=log)

    def kill(self) -> None:
        with self.lock:
            assert self.running is not None
            self.running.send_signal(signal.SIGKILL)
            self.running.wait()

    def ensure(self) -> None:
        """Start the process where it does not run, and wait until it serves."""
        with self.lock:
            if self.running is None or self.running.poll() is not None:
                self.start()
        wait_serving(self.address, timeout_s=60)


class Trader:
    """Does what a replay does at each tick, and does it again after a crash until it is done."""

    def __init__(self, process: Process, approver: Approver) -> None:
        self.process = process
        self._approver = approver
        process.ensure()
        self._open()

    def _open(self) -> None:
        self._channel = channel(self.process.address)
        self.execution = ExecutionServiceStub(self._channel)
        self.simulation = SimulationServiceStub(self._channel)

    def close(self) -> None:
        self._channel.close()

    def tick(self, number: int) -> int:
        """Advance, cancel what rests from two ticks before, send one order; return the report sequence."""
        now_ns = DEFAULT_START_NS + number * SECOND
        while True:
            try:
                sequence = self.simulation.AdvanceTo(messages.AdvanceToRequest(event_time_ns=now_ns)).report_sequence
                if number >= 3:
                    old = client_order_id(f"d-{number - 2}")
                    self.execution.CancelOrder(messages.CancelOrderRequest(client_order_id=old))
                self._submit(self._approval(number, now_ns))
                return sequence
            except grpc.RpcError as error:
                if error.code() is not grpc.StatusCode.UNAVAILABLE:
                    raise
                self.close()
                self.process.ensure()
                self._open()

    def _submit(self, approval: SignedApproval) -> None:
        try:
            self.execution.SubmitOrder(messages.SubmitOrderRequest(approval=approval))
        except grpc.RpcError as error:
            trailer: Any = error.trailing_metadata()
            if dict(trailer or ()).get("sluice-refusal") != "REPLAYED":
                raise

    def _approval(self, number: int, now_ns: int) -> SignedApproval:
        side = order_pb2.SIDE_BUY if number % 2 else order_pb2.SIDE_SELL
        market = {"type": order_pb2.ORDER_TYPE_MARKET, "time_in_force": order_pb2.TIME_IN_FORCE_IOC, "price": ""}
        price = "93000" if number % 2 else "95000"
        order = an_order_message(side=side, quantity="0.005", **(market if number % 3 == 0 else {"price": price}))
        decision = f"d-{number}"
        return self._approver.signed(
            decision, order, now_ns, nonce=hashlib.sha256(decision.encode()).digest()[:16])

    def reports(self, last: int) -> list[bytes]:
        found: list[bytes] = []
        for answer in self.execution.StreamReports(messages.StreamReportsRequest(from_sequence=1)):
            if answer.HasField("report"):
                found.append(answer.report.SerializeToString(deterministic=True))
            if len(found) == last:
                return found
        raise AssertionError("the stream must not end")


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tape")
    make_tape(folder, seed=7, minutes=0.5, symbols=["BTCUSDT"], start_ns=DEFAULT_START_NS)
    return folder


@contextmanager
def trading(stores: StoreUrls, tape: Path) -> Iterator[Trader]:
    # A socket's path may have 107 bytes, which pytest's folders exceed.
    with tempfile.TemporaryDirectory(prefix="sluice") as folder:
        namespace = f"t{secrets.token_hex(6)}"
        approver = Approver(Path(folder) / "keys", namespace, stores.redis_url)
        trader = Trader(Process(Path(folder), namespace, stores, tape), approver)
        try:
            yield trader
        finally:
            trader.close()
            if trader.process.running is not None:
                trader.process.running.kill()
                trader.process.running.wait()


def run(trader: Trader, kills: Mapping[int, float]) -> tuple[list[int], list[bytes]]:
    """Trade through all ticks, and kill the process in some of them, so many seconds after they began.

    Returns each tick's report sequence, and all reports.
    """
    sequences: list[int] = []
    for number in range(1, TICKS + 1):
        killer = threading.Timer(kills.get(number, 0), trader.process.kill)
        if number in kills:
            killer.start()
        sequences.append(trader.tick(number))
        if number in kills:
            killer.join()
    return sequences, trader.reports(sequences[-1])


def test_a_run_with_kills_gives_the_reports_of_an_undisturbed_one(stores: StoreUrls, tape: Path) -> None:
    with trading(stores, tape) as undisturbed:
        expected = run(undisturbed, {})
    kinds = {messages.ExecutionReport.FromString(raw).kind for raw in expected[1]}
    assert {messages.REPORT_KIND_FILL, messages.REPORT_KIND_CANCELED, messages.REPORT_KIND_ACCEPTED} <= kinds
    with trading(stores, tape) as disturbed:
        # A tick takes a few milliseconds: the kills fall before, between and after its journal writes.
        got = run(disturbed, {3: 0.0, 7: 0.002, 11: 0.004, 15: 0.007, 19: 0.010})
        assert disturbed.process.starts == 6
        ending = disturbed.process.running
        assert ending is not None
        ending.terminate()
        assert ending.wait(20) == 0
        lines = (disturbed.process.folder / "out").read_text().splitlines()
        assert lines == [f"execution listens on {disturbed.process.address}"] * 6
    assert got == expected

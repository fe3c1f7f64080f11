"""The whole way, as a person runs it: the demo's summary, its repeatability, and what a crash changes (nothing)."""

import os
import signal
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import psutil
import pytest

from backtest.synthetic import make_tape
from sluice.execution.v1.execution_pb2 import ListOrdersRequest, OrderStatus
from sluice.execution.v1.execution_pb2_grpc import ExecutionServiceStub
from sluice.risk.v1.risk_pb2 import GetPortfolioRequest
from sluice.risk.v1.risk_pb2_grpc import RiskServiceStub
from sluice.rpc import channel
from sluice.stores import redis
from tests.integration.demos import Demo, run_demo

MINUTES = 3.0
FINAL = {f"ORDER_STATUS_{name}" for name in ("FILLED", "CANCELED", "REJECTED", "EXPIRED")}
KEYS = {
    "frames", "dead_letters", "events", "features", "predictions", "intents", "approvals", "vetoes", "orders", "fills",
    "fees", "pnl_realised", "pnl_unrealised", "latency_ms", "digest", "wall_s", "report",
}


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short synthetic tape of three symbols."""
    folder = tmp_path_factory.mktemp("tapes") / "synthetic"
    make_tape(folder, seed=11, minutes=MINUTES)
    return folder


@pytest.fixture(scope="module")
def undisturbed(tape: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Demo, dict[str, Any]]:
    """A demo that nobody disturbs, against which the others are held."""
    return run_demo(tmp_path_factory.mktemp("undisturbed"), "--tape", str(tape))


def test_the_summary_has_every_key_and_its_counts_add_up(undisturbed: tuple[Demo, dict[str, Any]]) -> None:
    _, summary = undisturbed
    assert set(summary) >= KEYS
    assert summary["frames"] == summary["events"] + summary["dead_letters"]
    assert summary["intents"] == summary["approvals"] + summary["vetoed"]
    assert summary["approvals"] == sum(summary["orders"].values())
    assert summary["fills"] > 0
    assert summary["dead_letters"] == 0
    assert Path(summary["report"]).stat().st_size > 10_000
    for hop in summary["latency_ms"].values():
        assert 0 <= hop["p50"] <= hop["p99"]


def test_no_process_is_left_behind(undisturbed: tuple[Demo, dict[str, Any]]) -> None:
    demo, _ = undisturbed
    folder = str(demo.folder)
    running = [" ".join(process.info["cmdline"] or []) for process in psutil.process_iter(["cmdline"])]
    assert [command for command in running if folder in command] == []


def assert_same(demo: Demo, summary: dict[str, Any], undisturbed: tuple[Demo, dict[str, Any]]) -> None:
    """Hold a run against the undisturbed one, and its journal against the rules of any run."""
    _, expected = undisturbed
    exact = ("frames", "dead_letters", "events", "features", "predictions", "intents", "approvals", "vetoes", "orders",
             "fills", "fees", "pnl_realised", "pnl_unrealised")
    assert {key: summary[key] for key in exact} == {key: expected[key] for key in exact}
    assert summary["digest"] == expected["digest"]
    assert_journal_is_whole(demo)


def assert_journal_is_whole(demo: Demo) -> None:
    """Check that every decision, order and fill stands once, and that nothing stays reserved or open."""
    ((decisions, intents),) = demo.query("select count(*), count(distinct intent_id) from demo_risk.decisions")
    assert decisions == intents
    ((orders, decided),) = demo.query("select count(*), count(distinct decision_id) from demo_execution.orders")
    ((approved,),) = demo.query("select count(*) from demo_risk.decisions where approved")
    assert orders == decided == approved
    ((reports, last),) = demo.query("select count(*), max(sequence) from demo_execution.reports")
    assert reports == last
    final = "('FILLED', 'CANCELED', 'REJECTED', 'EXPIRED')"
    assert demo.query(f"select client_order_id from demo_execution.orders where status not in {final}") == []


@pytest.mark.parametrize("batch_lines", ["37"])
def test_other_batches_give_the_same_bytes(
    tape: Path, undisturbed: tuple[Demo, dict[str, Any]], tmp_path: Path, batch_lines: str
) -> None:
    demo, summary = run_demo(tmp_path, "--tape", str(tape), environ={"SLUICE_SOURCE__BATCH_LINES": batch_lines})
    assert_same(demo, summary, undisturbed)


def test_orders_fees_and_money_are_the_same_without_the_exchanges_sockets(
    tape: Path, undisturbed: tuple[Demo, dict[str, Any]], tmp_path: Path
) -> None:
    demo, summary = run_demo(tmp_path, "--tape", str(tape), "--in-process")
    assert_same(demo, summary, undisturbed)
    over_sockets, in_process = (each.configuration() for each in (undisturbed[0], demo))
    assert (over_sockets["execution"]["venue"], in_process["execution"]["venue"]) == ("lockstep", "simulated")


def test_a_flow_stopped_and_resumed_from_its_snapshot_gives_the_same_bytes(
    tape: Path, undisturbed: tuple[Demo, dict[str, Any]], tmp_path: Path
) -> None:
    demo = Demo(tmp_path, ("--tape", str(tape))).start()
    demo.wait_for_frames(undisturbed[1]["frames"] // 2)
    demo.kill("flow", signal.SIGTERM)
    assert_same(demo, demo.finish(), undisturbed)


@pytest.mark.parametrize("names", [("risk", "execution"), ("flow", "inference"), ("exchange", "exchange")])
def test_processes_killed_in_the_middle_change_nothing(
    tape: Path, undisturbed: tuple[Demo, dict[str, Any]], tmp_path: Path, names: tuple[str, str]
) -> None:
    demo = Demo(tmp_path, ("--tape", str(tape))).start()
    for part, name in enumerate(names, start=1):
        demo.wait_for_frames(undisturbed[1]["frames"] * part // 3)
        demo.kill(name)
    assert_same(demo, demo.finish(), undisturbed)


def test_risk_killed_in_the_middle_reserves_again_exactly_what_is_open(
    tape: Path, undisturbed: tuple[Demo, dict[str, Any]], tmp_path: Path
) -> None:
    demo = Demo(tmp_path, ("--tape", str(tape))).start()
    demo.wait_for_frames(1)
    with channel(demo.address("execution")) as orders, channel(demo.address("risk")) as limits:
        frozen_with_open_orders(demo, ExecutionServiceStub(orders))
        demo.kill("risk")
        demo.wait_for_restart("risk")
        portfolio = RiskServiceStub(limits).GetPortfolio(GetPortfolioRequest(), timeout=10).portfolio
        listed = ExecutionServiceStub(orders).ListOrders(ListOrdersRequest(), timeout=10).orders
    # In a replay risk counts a report when the flow has come to its time; until then its order is open to risk.
    open_to_risk = {
        order.decision_id: Decimal(order.order.quantity) for order in listed
        if OrderStatus.Name(order.status) not in FINAL or order.report_sequence > portfolio.report_sequence}
    reserved = {held.decision_id: Decimal(held.quantity) for held in portfolio.reservations}
    assert open_to_risk
    assert set(reserved) == set(open_to_risk)
    assert all(Decimal(0) < reserved[decision] <= open_to_risk[decision] for decision in reserved)
    demo.kill("flow", signal.SIGCONT)
    assert_same(demo, demo.finish(), undisturbed)


def frozen_with_open_orders(demo: Demo, execution: ExecutionServiceStub) -> None:
    """Stop the flow's process at a moment at which an order rests at the venue."""
    open_only = ListOrdersRequest(open_only=True)
    while True:
        while not execution.ListOrders(open_only, timeout=10).orders:
            assert demo.process is not None
            assert demo.process.poll() is None, "the demo ended before an order rested"
        demo.kill("flow", signal.SIGSTOP)
        if execution.ListOrders(open_only, timeout=10).orders:
            return
        demo.kill("flow", signal.SIGCONT)


def kill_postgres(demo: Demo) -> None:
    """Kill the database, which its keeper starts again."""
    for process in psutil.process_iter(["cmdline"]):
        command = process.info["cmdline"] or [""]
        if command[0].endswith("bin/postgres") and str(demo.folder) in " ".join(command):
            process.kill()


def empty_redis(demo: Demo) -> None:
    """Take from Redis everything it knows: the epoch, the used nonces."""
    client = redis.connect_sync(demo.configuration()["stores"]["redis_url"])
    client.flushall()
    client.close()


@pytest.mark.parametrize("failure", [kill_postgres, empty_redis])
def test_a_store_that_fails_in_the_middle_changes_nothing(
    tape: Path, undisturbed: tuple[Demo, dict[str, Any]], tmp_path: Path, failure: Callable[[Demo], None]
) -> None:
    demo = Demo(tmp_path, ("--tape", str(tape))).start()
    for part in (1, 2):
        demo.wait_for_frames(undisturbed[1]["frames"] * part // 3)
        failure(demo)
    assert_same(demo, demo.finish(), undisturbed)


def test_a_second_demo_in_the_same_folder_is_refused_in_one_sentence(tape: Path, tmp_path: Path) -> None:
    first = Demo(tmp_path, ("--tape", str(tape))).start()
    first.wait_for_frames(1)
    second = Demo(tmp_path, ("--tape", str(tape))).start()
    assert second.process is not None
    _, errors = second.process.communicate(timeout=60)
    assert second.process.returncode == 1
    assert "another one runs" in errors
    assert "Traceback" not in errors
    assert first.process is not None
    os.kill(first.process.pid, signal.SIGINT)
    first.process.communicate(timeout=60)

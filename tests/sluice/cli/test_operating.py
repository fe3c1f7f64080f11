"""`halt`, `reduce-only`, `resume` and `status` against services over gRPC."""

import json
from collections.abc import Callable

import grpc
import pytest

from sluice.execution.v1 import execution_pb2_grpc
from sluice.risk.v1 import risk_pb2_grpc
from tests.sluice.cli.conftest import Invoke, Server
from tests.sluice.cli.services import Risk, a_risk, an_execution


@pytest.fixture
def risk(server: Callable[[], Server], addresses: Callable[..., None]) -> Risk:
    service, shell = a_risk(), server()
    risk_pb2_grpc.add_RiskServiceServicer_to_server(service, shell.server)
    addresses(risk=shell.start())
    return service


def test_halt_names_operator_reason_and_whether_orders_are_cancelled(sluice: Invoke, risk: Risk) -> None:
    outcome = sluice("halt", "--reason", "odd fills", "--operator", "ann", "--cancel-open-orders")
    assert (outcome.code, outcome.out) == (0, "Trading is HALTED (was ACTIVE), risk epoch 4.\n")
    (request,) = risk.requests
    assert (request.operator, request.reason, request.cancel_open_orders) == ("ann", "odd fills", True)


def test_states_follow_each_other(sluice: Invoke, risk: Risk) -> None:
    for command, state, previous in (
            ("reduce-only", "REDUCING", "ACTIVE"), ("halt", "HALTED", "REDUCING"), ("resume", "ACTIVE", "HALTED")):
        answer = json.loads(sluice(command, "--reason", "drill", "--operator", "ann", "--json").out)
        assert (answer["trading_state"], answer["previous_state"]) == (state, previous)
    assert [request.reason for request in risk.requests] == ["drill"] * 3


def test_operator_is_the_login_name_unless_given(sluice: Invoke, risk: Risk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "bea")
    assert sluice("halt", "--reason", "x").code == 0
    assert risk.requests[0].operator == "bea"


@pytest.mark.parametrize("arguments", [("--reason", " "), ("--reason", "x", "--operator", "")])
def test_nothing_is_asked_for_without_a_reason_and_a_name(
        sluice: Invoke, risk: Risk, arguments: tuple[str, ...]) -> None:
    outcome = sluice("halt", *arguments)
    assert outcome.code == 1
    assert "was empty" in outcome.err
    assert risk.requests == []


@pytest.mark.parametrize(("status", "code"), [
    (grpc.StatusCode.INVALID_ARGUMENT, 1), (grpc.StatusCode.NOT_FOUND, 2), (grpc.StatusCode.UNAVAILABLE, 3),
    (grpc.StatusCode.DEADLINE_EXCEEDED, 5), (grpc.StatusCode.INTERNAL, 1)])
def test_refused_call_is_a_sentence_with_the_exit_code_of_its_kind(
        sluice: Invoke, risk: Risk, status: grpc.StatusCode, code: int) -> None:
    risk.refusal = (status, "reason must be shorter, was long")
    outcome = sluice("halt", "--reason", "x", "--operator", "ann")
    assert outcome.code == code
    assert outcome.err.startswith("Error: risk")
    assert "Traceback" not in outcome.err


def test_command_to_a_stopped_risk_says_how_to_start_it(sluice: Invoke, addresses: Callable[..., None]) -> None:
    addresses()
    outcome = sluice("halt", "--reason", "x", "--operator", "ann")
    assert outcome.code == 3
    assert "Fix: start it with `sluice serve risk`" in outcome.err


def test_status_without_any_service_exits_with_3(sluice: Invoke, addresses: Callable[..., None]) -> None:
    addresses()
    outcome = sluice("status")
    assert (outcome.code, outcome.out) == (3, "")
    assert "a service must be running, and none is" in outcome.err


def test_status_shows_portfolio_orders_and_health(
        sluice: Invoke, server: Callable[[], Server], addresses: Callable[..., None]) -> None:
    risk, execution = server(), server()
    risk_pb2_grpc.add_RiskServiceServicer_to_server(a_risk(), risk.server)
    execution_pb2_grpc.add_ExecutionServiceServicer_to_server(an_execution(), execution.server)
    addresses(risk=risk.start(), execution=execution.start())
    out = sluice("status").out
    assert "Trading is ACTIVE, risk epoch 3, as of 2026-02-02 02:40:00.250 UTC, report 17." in out
    assert "inference  not running" in out
    assert "BINANCE_USDM:BTCUSDT  -0.25" in out
    assert "60000.5" in out
    data = json.loads(sluice("status", "--json").out)
    assert data["services"]["risk"]["health"] == "serving"
    assert data["portfolio"]["equity"][0]["equity"] == "100012.5"
    assert data["open_orders"][0]["order"]["price"] == "60000.5"


def test_status_calls_unknown_what_a_service_that_does_not_serve_would_know(
        sluice: Invoke, server: Callable[[], Server], addresses: Callable[..., None]) -> None:
    addresses(risk=server().start(serving=False))
    outcome = sluice("status")
    assert outcome.code == 0
    assert "risk       not serving yet" in outcome.out
    assert "Trading state and positions: unknown, risk does not serve." in outcome.out
    assert "Open orders: unknown, execution does not serve." in outcome.out

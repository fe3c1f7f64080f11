"""Patience: a service that is away is waited for; an answer is an answer."""

import threading
from collections.abc import Callable
from concurrent import futures

import grpc
import pytest
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from dataflows.desk.patience import NotYetError, patiently
from sluice.errors import NotRunningError, SluiceError
from sluice.rpc import channel


def a_server(address: str) -> tuple[grpc.Server, str]:
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=2))
    health_pb2_grpc.add_HealthServicer_to_server(health.HealthServicer(), server)
    port = server.add_insecure_port(address)
    server.start()
    return server, f"127.0.0.1:{port}"


def checking(opened: grpc.Channel, service: str = "") -> Callable[[], health_pb2.HealthCheckResponse]:
    stub = health_pb2_grpc.HealthStub(opened)
    return lambda: stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=1)


def test_a_service_that_comes_back_is_asked_again_after_what_it_must_know_first() -> None:
    server, address = a_server("127.0.0.1:0")
    server.stop(0).wait()
    restarted: list[grpc.Server] = []
    timer = threading.Timer(0.4, lambda: restarted.append(a_server(address)[0]))
    timer.start()
    told: list[str] = []
    with channel(address) as opened:
        answer = patiently("health", checking(opened), patience_s=10, before_retry=lambda: told.append("again"))
    timer.join()
    restarted[0].stop(0)
    assert answer.status == health_pb2.HealthCheckResponse.SERVING
    assert told


def test_patience_ends_with_what_to_do() -> None:
    with channel("127.0.0.1:1") as opened, pytest.raises(NotRunningError, match="must answer within 0 s") as caught:
        patiently("risk", checking(opened), patience_s=0.2)
    assert "sluice status" in caught.value.fix


def test_a_refusal_is_not_repeated() -> None:
    server, address = a_server("127.0.0.1:0")
    with channel(address) as opened, pytest.raises(SluiceError, match="health refused the call"):
        patiently("health", checking(opened, "no.such.Service"), patience_s=10, before_retry=pytest.fail)
    server.stop(0)


def test_not_yet_is_asked_again() -> None:
    answers = iter([NotYetError("later"), NotYetError("later")])

    def call() -> str:
        if (error := next(answers, None)) is not None:
            raise error
        return "now"

    assert patiently("execution", call, patience_s=10) == "now"

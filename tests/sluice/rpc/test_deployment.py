"""Deployments: a client of one never takes a service of another for its own."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from sluice.rpc import channel, deployment, is_serving
from sluice.rpc.deployment import VARIABLE, own_deployment
from tests.sluice.rpc.echo import served

Answer = TypeVar("Answer")


def asked(name: str, question: Callable[[str], Answer], monkeypatch: pytest.MonkeyPatch) -> Answer:
    """Serve in a deployment, and return what a client without one of its own makes of the address."""
    async def scenario() -> Answer:
        monkeypatch.setenv(VARIABLE, name)
        async with served() as (shell, address):
            shell.set_serving(True)
            monkeypatch.delenv(VARIABLE)
            await asyncio.sleep(0)
            return await asyncio.to_thread(question, address)

    return asyncio.run(scenario())


def watch_code(address: str, wanted: str) -> grpc.StatusCode | None:
    """Open a stream and return the code with which it was refused."""
    with channel(address, wanted) as opened:
        try:
            next(iter(health_pb2_grpc.HealthStub(opened).Watch(health_pb2.HealthCheckRequest(), timeout=5)))
        except grpc.RpcError as error:
            assert isinstance(error, grpc.Call)
            return error.code()
    return None


def test_a_client_reaches_the_service_of_its_own_deployment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert asked("ours", lambda address: is_serving(address, deployment="ours"), monkeypatch)
    assert asked("ours", lambda address: watch_code(address, "ours"), monkeypatch) is None


@pytest.mark.parametrize("server", ["theirs", ""])
def test_a_service_of_another_deployment_is_as_good_as_away(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not asked(server, lambda address: is_serving(address, deployment="ours"), monkeypatch)
    refused = asked(server, lambda address: watch_code(address, "ours"), monkeypatch)
    assert refused is grpc.StatusCode.UNAVAILABLE


def test_a_client_without_a_deployment_may_look_into_any(monkeypatch: pytest.MonkeyPatch) -> None:
    assert asked("theirs", is_serving, monkeypatch)


def test_the_environment_says_where_a_client_belongs(monkeypatch: pytest.MonkeyPatch) -> None:
    def as_ours(address: str) -> bool:
        monkeypatch.setenv(VARIABLE, "ours")
        return is_serving(address)

    assert not asked("theirs", as_ours, monkeypatch)
    assert asked("ours", as_ours, monkeypatch)


def test_a_deployment_lasts_as_long_as_its_block_and_has_a_name_of_its_own() -> None:
    with deployment() as outer:
        with deployment() as inner:
            assert own_deployment() == inner
        assert own_deployment() == outer
    assert inner != outer
    assert own_deployment() == ""

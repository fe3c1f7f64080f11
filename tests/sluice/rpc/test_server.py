"""The server shell, its health, its errors and its metrics, over real sockets."""

import asyncio
import socket
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from prometheus_client import REGISTRY

from sluice.errors import (
    ConfigurationError,
    DeadlineError,
    InputError,
    InvariantError,
    NotFoundError,
    NotRunningError,
    SluiceError,
)
from sluice.rpc import ServerShell, aio_channel, is_serving, wait_serving
from tests.sluice.rpc.echo import SERVICE, Behaviour, call, raising, registration, served


async def refusal(behaviour: Behaviour) -> grpc.aio.AioRpcError:
    """Call a service that fails and return the error."""
    async with served(behaviour) as (_, address):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call(address)
        return caught.value


def test_call_is_answered_over_tcp() -> None:
    async def scenario() -> bytes:
        async with served() as (_, address):
            return await call(address, b"hello")

    assert asyncio.run(scenario()) == b"hello"


def test_call_is_answered_over_a_unix_socket(tmp_path: Path) -> None:
    path = tmp_path / "s"

    async def scenario() -> bytes:
        async with served(address=f"unix:{path}") as (_, address):
            assert address == f"unix:{path}"
            return await call(address)

    assert asyncio.run(scenario()) == b"hello"
    assert not path.exists()


def test_health_is_not_serving_until_the_service_says_so() -> None:
    async def scenario() -> list[bool]:
        shell = ServerShell("test", "127.0.0.1:0", [registration()])
        address = await shell.start()
        seen = [await asyncio.to_thread(is_serving, address)]
        shell.set_serving(True)
        seen.append(await asyncio.to_thread(is_serving, address, SERVICE))
        seen.append(await asyncio.to_thread(is_serving, address, "sluice.tests.Unknown"))
        shell.set_serving(False)
        seen.append(await asyncio.to_thread(is_serving, address, SERVICE))
        await shell.stop()
        return seen

    assert asyncio.run(scenario()) == [False, True, False, False]


def test_health_before_start_is_a_bug() -> None:
    with pytest.raises(InvariantError, match="must be started"):
        ServerShell("test", "127.0.0.1:0", []).set_serving(True)


def test_watcher_of_health_is_told_when_the_server_stops() -> None:
    async def scenario() -> list[int]:
        async with served() as (shell, address), aio_channel(address) as connection:
            watch = health_pb2_grpc.HealthStub(connection).Watch(health_pb2.HealthCheckRequest(), timeout=5)
            first = await watch.read()
            await shell.stop(grace_s=0.5)
            second = await watch.read()
            return [first.status, second.status]

    assert asyncio.run(scenario()) == [health_pb2.HealthCheckResponse.SERVING,
                                       health_pb2.HealthCheckResponse.NOT_SERVING]


def test_reflection_lists_the_service() -> None:
    async def scenario() -> set[str]:
        async with served() as (_, address), aio_channel(address) as connection:
            stub = reflection_pb2_grpc.ServerReflectionStub(connection)
            question = reflection_pb2.ServerReflectionRequest(list_services="")
            answers = stub.ServerReflectionInfo(iter([question]), timeout=5)
            answer = await answers.read()
            return {each.name for each in answer.list_services_response.service}

    assert asyncio.run(scenario()) >= {SERVICE, "grpc.health.v1.Health"}


@pytest.mark.parametrize(("error", "code"), [
    (InputError("a price must be positive, was -1"), grpc.StatusCode.INVALID_ARGUMENT),
    (NotFoundError("an order must exist, was not found"), grpc.StatusCode.NOT_FOUND),
    (NotRunningError("PostgreSQL must answer, was not reachable"), grpc.StatusCode.UNAVAILABLE),
    (ConfigurationError(["x must be y, was z"]), grpc.StatusCode.FAILED_PRECONDITION),
    (DeadlineError("the venue must answer in 2 s, was silent"), grpc.StatusCode.DEADLINE_EXCEEDED),
    (SluiceError("something else"), grpc.StatusCode.UNKNOWN),
])
def test_our_own_error_reaches_the_caller_with_its_code_and_message(error: SluiceError, code: grpc.StatusCode) -> None:
    refused = asyncio.run(refusal(raising(error)))
    assert (refused.code(), refused.details()) == (code, error.message)


@pytest.mark.parametrize("error", [ValueError("secret inside"), InvariantError("secret inside")])
def test_unexpected_error_is_logged_and_hidden_from_the_caller(
        error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    refused = asyncio.run(refusal(raising(error)))
    assert (refused.code(), refused.details()) == (grpc.StatusCode.INTERNAL, "internal error")
    assert "secret inside" in caplog.text
    assert "Traceback" in caplog.text


def test_status_that_a_handler_chose_itself_is_kept() -> None:
    async def abort(request: bytes, context: Any) -> bytes:
        await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "too many")
        return b""

    refused = asyncio.run(refusal(abort))
    assert (refused.code(), refused.details()) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "too many")


def test_stream_gives_its_answers_before_its_error() -> None:
    async def scenario() -> tuple[list[bytes], grpc.StatusCode]:
        async with served() as (_, address), aio_channel(address) as connection:
            method: Any = connection.unary_stream(f"/{SERVICE}/Count")
            answers = method(b"fail", timeout=5)
            seen = [await answers.read() for _ in range(3)]
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await answers.read()
            return seen, caught.value.code()

    assert asyncio.run(scenario()) == ([b"fail"] * 3, grpc.StatusCode.INVALID_ARGUMENT)


def test_calls_are_counted_by_method_and_code() -> None:
    def handled(code: str) -> float:
        labels = {"method": f"/{SERVICE}/Call", "code": code}
        return REGISTRY.get_sample_value("sluice_rpc_handled_total", labels) or 0.0

    before = handled("OK"), handled("NOT_FOUND")
    asyncio.run(refusal(raising(NotFoundError("no"))))

    async def scenario() -> None:
        async with served() as (_, address):
            await call(address)
            await call(address)

    asyncio.run(scenario())
    assert (handled("OK"), handled("NOT_FOUND")) == (before[0] + 2, before[1] + 1)
    assert REGISTRY.get_sample_value("sluice_rpc_seconds_count", {"method": f"/{SERVICE}/Call", "code": "OK"})


def test_caller_that_gives_up_is_counted_as_cancelled() -> None:
    labels = {"method": f"/{SERVICE}/Call", "code": "CANCELLED"}
    before = REGISTRY.get_sample_value("sluice_rpc_handled_total", labels) or 0.0

    async def sleep(request: bytes, context: Any) -> bytes:
        await asyncio.sleep(30)
        return b""

    async def scenario() -> None:
        async with served(sleep) as (_, address):
            with pytest.raises(grpc.aio.AioRpcError):
                await call(address, timeout_s=0.2)
            await asyncio.sleep(0.2)

    asyncio.run(scenario())
    assert REGISTRY.get_sample_value("sluice_rpc_handled_total", labels) == before + 1


def test_wait_serving_gives_up_at_its_deadline() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(DeadlineError, match=r"within 0\.3 s"):
            wait_serving(address, timeout_s=0.3)


def test_call_under_way_may_finish_when_the_server_stops() -> None:
    async def slow(request: bytes, context: Any) -> bytes:
        await asyncio.sleep(0.2)
        return request

    async def scenario() -> bytes:
        async with served(slow) as (shell, address):
            under_way = asyncio.create_task(call(address))
            await asyncio.sleep(0.1)
            await shell.stop(grace_s=2.0)
            return await under_way

    assert asyncio.run(scenario()) == b"hello"

"""A service of plain bytes, served over real sockets, for the tests of the server shell."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc

from sluice.errors import InputError
from sluice.rpc import Registration, ServerShell, aio_channel

SERVICE = "sluice.tests.Echo"
Behaviour = Callable[[bytes, Any], Awaitable[bytes]]


async def echo(request: bytes, context: Any) -> bytes:
    """Answer what was asked."""
    return request


def raising(error: Exception) -> Behaviour:
    """Return a behaviour that fails."""
    async def fail(request: bytes, context: Any) -> bytes:
        raise error

    return fail


async def count(request: bytes, context: Any) -> AsyncIterator[bytes]:
    """Answer the request three times, then fail where it asks for it."""
    for _ in range(3):
        yield request
    if request == b"fail":
        raise InputError("a request must be harmless, was fail")


def registration(behaviour: Behaviour = echo) -> Registration:
    """A service of two methods, in plain bytes."""
    handlers: dict[str, Any] = {"Call": grpc.unary_unary_rpc_method_handler(behaviour),
                                "Count": grpc.unary_stream_rpc_method_handler(count)}
    generic = grpc.method_handlers_generic_handler(SERVICE, handlers)
    return Registration(SERVICE, lambda server: server.add_generic_rpc_handlers((generic,)))


@asynccontextmanager
async def served(behaviour: Behaviour = echo, address: str = "127.0.0.1:0") -> AsyncIterator[tuple[ServerShell, str]]:
    """A running, serving server and its address."""
    shell = ServerShell("test", address, [registration(behaviour)])
    bound = await shell.start()
    shell.set_serving(True)
    try:
        yield shell, bound
    finally:
        await shell.stop(grace_s=0.1)


async def call(address: str, request: bytes = b"hello", timeout_s: float = 5.0) -> bytes:
    """Call the service once."""
    async with aio_channel(address) as connection:
        method: Any = connection.unary_unary(f"/{SERVICE}/Call")
        answer: bytes = await method(request, timeout=timeout_s)
        return answer

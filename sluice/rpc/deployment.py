"""Which deployment a process belongs to, so that services started together never talk to those of another.

Two runs on one machine can find each other behind an address: a port that one of them lost in a crash is bound by the
other. So whoever starts processes together gives them all one name in the environment. A client says it in its user
agent, and a server that has another name answers UNAVAILABLE, as if it were not there.

A client without a name (grpcurl, `sluice status`) may call any server. This guards against mistakes and is no
authentication.
"""

import os
import re
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import grpc

VARIABLE: Final = "SLUICE_DEPLOYMENT"
_AGENT: Final = "sluice-deployment/"
_NAMED: Final = re.compile(rf"{_AGENT}(\S+)")


@contextmanager
def deployment() -> Iterator[str]:
    """Make this process, and those that it starts in the block, a deployment of their own."""
    before = os.environ.get(VARIABLE)
    name = os.environ[VARIABLE] = secrets.token_hex(8)
    try:
        yield name
    finally:
        os.environ.pop(VARIABLE)
        if before is not None:
            os.environ[VARIABLE] = before


def own_deployment() -> str:
    """Return the deployment that this process was started in; empty where nobody named one."""
    return os.environ.get(VARIABLE, "")


def client_options(deployment: str) -> tuple[tuple[str, str], ...]:
    """Return the channel options with which a client says where it belongs."""
    return (("grpc.primary_user_agent", f"{_AGENT}{deployment}"),) if deployment else ()


class DeploymentInterceptor(grpc.aio.ServerInterceptor):
    """Refuses calls of clients that belong to another deployment."""

    def __init__(self, deployment: str) -> None:
        self._deployment = deployment

    async def intercept_service(self, continuation: Any, handler_call_details: grpc.HandlerCallDetails) -> Any:
        """Pass a call on, or answer that the service wanted is not here."""
        wanted = _named_in(handler_call_details.invocation_metadata or ())
        if wanted in ("", self._deployment):
            return await continuation(handler_call_details)
        return grpc.unary_unary_rpc_method_handler(_refuse)


async def _refuse(_request: bytes, context: grpc.aio.ServicerContext[Any, Any]) -> None:
    await context.abort(grpc.StatusCode.UNAVAILABLE, "a service of another deployment answers at this address")


def _named_in(metadata: Iterable[tuple[str, str | bytes]]) -> str:
    agent = next((str(value) for key, value in metadata if key == "user-agent"), "")
    found = _NAMED.search(agent)
    return found[1] if found else ""

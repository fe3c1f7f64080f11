"""Asks a service whether it is serving, by the standard health protocol (grpc.health.v1)."""

import time

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from sluice.errors import DeadlineError
from sluice.rpc.channels import channel

_POLL_INTERVAL_S = 0.05


def is_serving(address: str, service: str = "", timeout_s: float = 1.0, deployment: str | None = None) -> bool:
    """Whether the service answers SERVING within the time. An empty name asks for the server as a whole.

    A service of another deployment than the given one (or our own) does not count.
    """
    with channel(address, deployment) as connection:
        return _serving(connection, service, timeout_s)


def wait_serving(address: str, service: str = "", timeout_s: float = 30.0) -> None:
    """Return as soon as the service is serving. Raises DeadlineError."""
    deadline = time.monotonic() + timeout_s
    with channel(address) as connection:
        while (left_s := deadline - time.monotonic()) > 0:
            if _serving(connection, service, min(left_s, 1.0)):
                return
            time.sleep(min(_POLL_INTERVAL_S, max(deadline - time.monotonic(), 0.0)))
    raise DeadlineError(f"{service or 'the service'} at {address} must be serving within {timeout_s:g} s, was not",
                        fix="look at its log")


def _serving(connection: grpc.Channel, service: str, timeout_s: float) -> bool:
    stub = health_pb2_grpc.HealthStub(connection)
    try:
        answer = stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=timeout_s)
    except grpc.RpcError:
        return False
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)

"""The services as the command line sees them: where they are, whether they serve, and calls with a deadline.

A failed call becomes the error of its kind, so that the exit code says what happened.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, TypeVar

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from sluice.config.settings import Settings
from sluice.errors import DeadlineError, InputError, NotFoundError, NotRunningError, SluiceError
from sluice.rpc import channel

TIMEOUT_S: Final = 5.0
Answer = TypeVar("Answer")


class Health(Enum):
    """What a service says about itself."""

    SERVING = "serving"
    STARTING = "not serving yet"
    STOPPED = "not running"


@dataclass(frozen=True, slots=True)
class Service:
    """One of the services, by its name on the command line."""

    name: str
    address: str

    def health(self, timeout_s: float = 1.0) -> Health:
        """Ask the service whether it serves."""
        with channel(self.address) as connection:
            stub = health_pb2_grpc.HealthStub(connection)
            try:
                answer = stub.Check(health_pb2.HealthCheckRequest(), timeout=timeout_s)
            except grpc.RpcError:
                return Health.STOPPED
        return Health.SERVING if answer.status == health_pb2.HealthCheckResponse.SERVING else Health.STARTING

    def call(self, stub: Callable[[grpc.Channel], Any], method: str, request: Any) -> Any:
        """Call a method once, with a deadline. Raises the `SluiceError` that fits the status."""
        with channel(self.address) as connection:
            try:
                return getattr(stub(connection), method)(request, timeout=TIMEOUT_S)
            except grpc.RpcError as error:
                raise self.error_of(error) from None

    def error_of(self, error: grpc.RpcError) -> SluiceError:
        """Return our own error for a failed call."""
        code: grpc.StatusCode = error.code()
        details: str = error.details() or code.name.lower()
        if code is grpc.StatusCode.UNAVAILABLE:
            return NotRunningError(f"{self.name} must be running at {self.address}, was not reachable",
                                   fix=f"start it with `sluice serve {self.name}`, or correct {self.name}.address")
        if code is grpc.StatusCode.DEADLINE_EXCEEDED:
            return DeadlineError(f"{self.name} at {self.address} must answer within {TIMEOUT_S:g} s, did not",
                                 fix="look at its log; `sluice status` tells whether it serves")
        return _KINDS.get(code, SluiceError)(f"{self.name}: {details}")


_KINDS: Final[Mapping[grpc.StatusCode, type[SluiceError]]] = {
    grpc.StatusCode.INVALID_ARGUMENT: InputError,
    grpc.StatusCode.NOT_FOUND: NotFoundError,
}


def services(settings: Settings) -> dict[str, Service]:
    """Return the three services of a configuration by name."""
    addresses = {"inference": settings.inference.address, "risk": settings.risk.address,
                 "execution": settings.execution.address}
    return {name: Service(name, address) for name, address in addresses.items()}

"""The shell of a gRPC server: binding, health, reflection, interceptors, and an orderly end.

A server starts as NOT_SERVING; the service says when its state is rebuilt. It is insecure by itself: it listens on the
loopback interface or a Unix socket, or inside a network that encrypts.
"""

import asyncio
import contextlib
import errno
import logging
import signal
import socket
import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from sluice.errors import InvariantError, NotRunningError
from sluice.rpc.channels import MAX_MESSAGE_BYTES
from sluice.rpc.deployment import DeploymentInterceptor, own_deployment
from sluice.rpc.interceptors import CallInterceptor

MAX_PORT = 65_535
_log = logging.getLogger("sluice.rpc")
_OPTIONS: tuple[tuple[str, int], ...] = (
    ("grpc.so_reuseport", 0),  # else a second server would bind the same port without an error
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
)


class Registration(NamedTuple):
    """A service to serve: its full name, and what adds it to a server."""

    full_name: str
    add: Callable[[grpc.aio.Server], None]


class ServerShell:
    """One server with its services. `start`, then `set_serving(True)`, then `run_until_stopped`."""

    def __init__(self, name: str, address: str, registrations: Sequence[Registration]) -> None:
        """Describe the server; nothing is bound yet. `name` is for messages, `address` is host:port or unix:/path."""
        self._name = name
        self._address = address
        self._registrations = tuple(registrations)
        self._services = ("", *(each.full_name for each in registrations))
        self._health = health.aio.HealthServicer()
        self._server: grpc.aio.Server | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping = asyncio.Event()

    async def start(self) -> str:
        """Bind and begin to answer, as NOT_SERVING; return the address (port 0 becomes the real port).

        Raises NotRunningError where the address is taken or cannot be bound.
        """
        self._loop = asyncio.get_running_loop()
        interceptors = (DeploymentInterceptor(own_deployment()), CallInterceptor())
        server = grpc.aio.server(interceptors=interceptors, options=_OPTIONS)
        for each in self._registrations:
            each.add(server)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        reflection.enable_server_reflection(
            (*self._services[1:], health.SERVICE_NAME, reflection.SERVICE_NAME), server)
        await self._set_health(health_pb2.HealthCheckResponse.NOT_SERVING)
        bound = self._bind(server)
        await server.start()
        self._server = server
        _log.info("%s listens on %s", self._name, bound)
        return bound

    def set_serving(self, serving: bool) -> None:
        """Tell health checks of the whole server and of each service. To be called in the server's event loop."""
        if self._loop is None:
            raise InvariantError("a server must be started before its health is set, was not")
        status = health_pb2.HealthCheckResponse
        task = self._loop.create_task(self._set_health(status.SERVING if serving else status.NOT_SERVING))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def run_until_stopped(self) -> None:
        """Wait for SIGTERM, SIGINT or `stop`, then end in order. Call it in the main thread."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopping.set)
        try:
            await self._stopping.wait()
        finally:
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)
            await self.stop()

    async def stop(self, grace_s: float = 2.0) -> None:
        """Become NOT_SERVING, take no new calls, and end those under way after `grace_s` seconds."""
        self._stopping.set()
        await self._health.enter_graceful_shutdown()
        server, self._server = self._server, None
        if server is None:
            return
        await server.stop(grace_s)
        if path := _socket_path(self._address):
            path.unlink(missing_ok=True)
        _log.info("%s has stopped", self._name)

    async def _set_health(self, status: health_pb2.HealthCheckResponse.ServingStatus) -> None:
        for service in self._services:
            await self._health.set(service, status)

    def _bind(self, server: grpc.aio.Server) -> str:
        path = _socket_path(self._address)
        if path is not None:
            self._clear_socket(path)
        elif problem := _problem_of(self._address):
            raise self._not_free(problem)
        try:
            port = server.add_insecure_port(self._address)
        except RuntimeError:
            port = 0
        if path is None and port == 0:
            raise self._not_free("cannot be bound")
        if path is not None:
            if not path.exists():
                raise self._not_free("cannot be made")
            return self._address
        return f"{self._address.rpartition(':')[0]}:{port}"

    def _clear_socket(self, path: Path) -> None:
        """Remove a socket file that nobody listens on any more; gRPC itself would fail on it or take it over."""
        with contextlib.suppress(FileNotFoundError):
            if not stat.S_ISSOCK(path.stat().st_mode):
                raise self._not_free("is a file that is no socket")
            if _somebody_listens(path):
                raise self._not_free("is in use")
            path.unlink()

    def _not_free(self, what: str) -> NotRunningError:
        return NotRunningError(f"{self._name} address must be free, {self._address} {what}",
                               fix=f"stop what uses it, or change {self._name}.address")


def _socket_path(address: str) -> Path | None:
    if not address.startswith("unix:"):
        return None
    path = address.removeprefix("unix:")
    return Path(path.removeprefix("//") if path.startswith("///") else path)


def _problem_of(address: str) -> str:
    """Return why host:port cannot be bound, or nothing.

    gRPC does not say so itself: it is content with one free address of the several that a name may stand for, and takes
    a port beyond 65535 for another one.
    """
    host, _, port = address.rpartition(":")
    if int(port) > MAX_PORT:
        return "cannot be bound"
    with contextlib.suppress(socket.gaierror):
        places = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM)
        if any(_is_taken(family, place) for family, _, _, _, place in places):
            return "is in use"
    return ""


def _is_taken(family: socket.AddressFamily, place: Any) -> bool:
    with contextlib.closing(socket.socket(family, socket.SOCK_STREAM)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(place)
        except OSError as error:
            return error.errno == errno.EADDRINUSE
    return False


def _somebody_listens(path: Path) -> bool:
    with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
        return True

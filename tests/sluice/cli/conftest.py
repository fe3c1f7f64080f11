"""Runs the command line in this process, in an empty folder, and services over real gRPC."""

import socket
from collections.abc import Callable, Iterator
from concurrent import futures
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from sluice.cli.application import root, run


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command left behind."""

    code: int
    out: str
    err: str


Invoke = Callable[..., Outcome]


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for variable in ("SLUICE_CONFIG", "SLUICE_DEBUG"):
        # Set before it is deleted, so that it is gone again even where the command itself sets it.
        monkeypatch.setenv(variable, "")
        monkeypatch.delenv(variable)


@pytest.fixture
def sluice(capsys: pytest.CaptureFixture[str]) -> Invoke:
    """Run `sluice` with arguments."""

    def invoke(*arguments: str) -> Outcome:
        code = run(root(), "sluice", list(arguments))
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return invoke


class Server:
    """A gRPC server on a free port, with the health service."""

    def __init__(self) -> None:
        self.server = grpc.server(futures.ThreadPoolExecutor(2))
        self.health = health.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(self.health, self.server)
        self.address = f"127.0.0.1:{self.server.add_insecure_port('127.0.0.1:0')}"

    def start(self, *, serving: bool = True) -> str:
        """Start and return the address."""
        states = health_pb2.HealthCheckResponse
        self.health.set("", states.SERVING if serving else states.NOT_SERVING)
        self.server.start()
        return self.address


@pytest.fixture
def server() -> Iterator[Callable[[], Server]]:
    """Make servers that are stopped at the end."""
    made: list[Server] = []

    def make() -> Server:
        made.append(Server())
        return made[-1]

    yield make
    for each in made:
        each.server.stop(None).wait()


@pytest.fixture
def addresses(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Point the configuration at services; those that are not named stand at a port where nothing listens."""

    def point(**named: Any) -> None:
        for name in ("inference", "risk", "execution"):
            monkeypatch.setenv(f"SLUICE_{name.upper()}__ADDRESS", named.get(name) or unused_address())

    return point


def unused_address() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"

"""The stores of a run: those whose URLs are given, and embedded ones inside the data folder for the others.

Any number of processes may ask for the same data folder's stores at once: the first starts them, the others attach,
the last to leave stops them. That holds however a user ends, `kill -9` included (see `sluice.stores.keeper`).
"""

import contextlib
import fcntl
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import sluice
from sluice.config.settings import Settings
from sluice.errors import InputError, NotRunningError
from sluice.stores import keeper, servers

FOLDER = "stores"
_START_LOCK_FILE = "start.lock"
_TIMEOUT_S = 90.0
_POLL_INTERVAL_S = 0.02
_started: dict[Path, "subprocess.Popen[bytes]"] = {}  # keepers that this process started and has to reap


@dataclass(frozen=True, slots=True)
class StoreUrls:
    """Where a run's stores are."""

    postgres_url: str
    redis_url: str


@contextmanager
def stores(settings: Settings) -> Iterator[StoreUrls]:
    """Give the URLs of a run's stores, started where no URL is configured, for as long as the block lasts.

    Blocks for about two seconds where a database has to be made. Raises ConfigurationError where the wheels are
    missing and NotRunningError where a server does not start.
    """
    given = {servers.POSTGRES: settings.stores.postgres_url.get_secret_value(),
             servers.REDIS: settings.stores.redis_url.get_secret_value()}
    missing = [name for name, url in given.items() if not url]
    with contextlib.ExitStack() as stack:
        started = stack.enter_context(_embedded(_folder(settings.run.data_dir), missing)) if missing else {}
        yield StoreUrls(started.get(servers.POSTGRES) or given[servers.POSTGRES],
                        started.get(servers.REDIS) or given[servers.REDIS])


def _folder(data_dir: Path) -> Path:
    folder = data_dir.expanduser().resolve() / FOLDER
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"the data folder must be writable, was {data_dir} ({error.strerror})",
                         fix="set run.data_dir to a folder of yours") from None
    return folder


@contextmanager
def _embedded(folder: Path, names: Sequence[str]) -> Iterator[dict[str, str]]:
    for name in names:
        servers.check_wheel(name)
    connection, urls = _attach(folder, names)
    try:
        yield urls
    finally:
        _leave(connection, folder)


def _attach(folder: Path, names: Sequence[str]) -> tuple[socket.socket, dict[str, str]]:
    """Connect to the folder's keeper, started where there is none, and return the connection and the URLs."""
    deadline = time.monotonic() + _TIMEOUT_S
    while time.monotonic() < deadline:
        connection = _connect_or_start(folder, deadline)
        with contextlib.suppress(OSError):
            if answer := _ask(connection, names, deadline, folder):
                return connection, answer
        connection.close()  # the keeper was just leaving
        time.sleep(_POLL_INTERVAL_S)
    raise NotRunningError(f"the embedded stores in {folder} must start within {_TIMEOUT_S:.0f} s, were not ready",
                          fix=f"read the logs in {folder}")


def _ask(connection: socket.socket, names: Sequence[str], deadline: float, folder: Path) -> dict[str, str]:
    connection.settimeout(max(deadline - time.monotonic(), 0.1))
    connection.sendall(json.dumps({"need": list(names)}).encode() + b"\n")
    with connection.makefile("rb") as stream:
        line = stream.readline()
    answer: dict[str, str] = json.loads(line) if line.endswith(b"\n") else {}
    if "error" in answer:
        _leave(connection, folder)
        raise NotRunningError(answer["error"], fix=answer["fix"])
    return answer


def _connect_or_start(folder: Path, deadline: float) -> socket.socket:
    with (folder / _START_LOCK_FILE).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        connection = _connect(folder)
        if connection is not None:
            return connection
        process = _start_keeper(folder)
        _started[folder] = process
        while time.monotonic() < deadline and process.poll() is None:
            connection = _connect(folder)
            if connection is not None:
                return connection
            time.sleep(_POLL_INTERVAL_S)
    raise NotRunningError(f"the keeper of the embedded stores in {folder} must start, ended with {process.poll()}",
                          fix=f"read {folder / keeper.LOG_FILE}")


def _connect(folder: Path) -> socket.socket | None:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.connect((folder / keeper.ADDRESS_FILE).read_text())
    except OSError:
        connection.close()
        return None
    return connection


def _start_keeper(folder: Path) -> "subprocess.Popen[bytes]":
    _reap(folder)  # one that was killed
    root = str(Path(sluice.__file__).resolve().parent.parent)
    path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
    with (folder / keeper.LOG_FILE).open("ab") as log:
        return subprocess.Popen(  # a session of its own: neither Ctrl-C nor the end of this process may stop it
            [sys.executable, "-m", "sluice.stores.keeper", str(folder)], env={**os.environ, "PYTHONPATH": path},
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd="/")


def _leave(connection: socket.socket, folder: Path) -> None:
    """Give the stores up; where we were the last, wait until they have stopped."""
    with contextlib.suppress(OSError), connection:
        connection.settimeout(_TIMEOUT_S)
        connection.shutdown(socket.SHUT_WR)
        if connection.recv(len(keeper.STAYING)):
            return
    _reap(folder)


def _reap(folder: Path) -> None:
    """Collect the exit status of a keeper that this process started and that has ended or is about to."""
    process = _started.pop(folder, None)
    if process is not None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_TIMEOUT_S)

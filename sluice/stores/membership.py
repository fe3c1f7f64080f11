"""One user's place among those of a data folder's embedded stores: joining, staying, leaving.

The other end of the connection is `sluice.stores.keeper`. Where the keeper is killed while there are users, each of
them asks for a new one; the first starts it and the others join it.
"""

import contextlib
import fcntl
import json
import logging
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import sluice
from sluice.errors import NotRunningError
from sluice.stores import keeper
from sluice.stores.processes import tail

_START_LOCK_FILE = "start.lock"
_TIMEOUT_S = 90.0
_POLL_INTERVAL_S = 0.02
_started: dict[Path, "subprocess.Popen[bytes]"] = {}  # keepers that this process started and has to reap
_log = logging.getLogger("sluice.stores")


class Membership:
    """A user's connection to the keeper, renewed where the keeper is killed."""

    def __init__(self, folder: Path, names: Sequence[str]) -> None:
        """Join: return when the named stores answer; `urls` maps names to URLs. Raises NotRunningError."""
        self._folder = folder
        self._names = tuple(names)
        self._leaving = False
        self._lock = threading.Lock()
        self._connection, self.urls = _attach(folder, self._names)
        self._watch = threading.Thread(target=self._stay, name="embedded stores", daemon=True)
        self._watch.start()

    def leave(self) -> None:
        """Give the stores up; where we were the last, return when they have stopped."""
        with self._lock:
            self._leaving = True
            _say_goodbye(self._connection)
        self._watch.join(_TIMEOUT_S)

    def _stay(self) -> None:
        """Wait for the end of the connection, and join again where it was not we who ended it."""
        while not _hear_goodbye(self._connection, self._folder) and not self._leaving:
            _log.warning("the keeper of the embedded stores in %s has ended and is started again", self._folder)
            try:
                connection, urls = _attach(self._folder, self._names)
            except NotRunningError as error:
                _log.error("%s", error.message)
                return
            if urls != self.urls:
                _log.error("the embedded stores in %s have moved: restart what uses them", self._folder)
            with self._lock:
                self._connection = connection
                if self._leaving:
                    _say_goodbye(connection)


def _say_goodbye(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_WR)


def _hear_goodbye(connection: socket.socket, folder: Path) -> bool:
    """Wait until the keeper lets us go (True: others stay) or ends."""
    staying = b""
    with contextlib.suppress(OSError), connection:
        connection.settimeout(None)
        staying = connection.recv(len(keeper.STAYING))
    if not staying:
        _reap(folder)
    return bool(staying)


def _attach(folder: Path, names: Sequence[str]) -> tuple[socket.socket, dict[str, str]]:
    """Connect to the folder's keeper, started where there is none, and return the connection and the URLs."""
    deadline = time.monotonic() + _TIMEOUT_S
    while time.monotonic() < deadline:
        connection = _connect_or_start(folder, deadline)
        with contextlib.suppress(OSError):
            answer = _ask(connection, names, deadline)
            if "error" in answer:
                _say_goodbye(connection)
                _hear_goodbye(connection, folder)
                raise NotRunningError(answer["error"], fix=answer["fix"])
            if answer:
                return connection, answer
        connection.close()  # the keeper was just leaving
        time.sleep(_POLL_INTERVAL_S)
    raise NotRunningError(f"the embedded stores in {folder} must start within {_TIMEOUT_S:.0f} s, were not ready",
                          fix=f"read the logs in {folder}")


def _ask(connection: socket.socket, names: Sequence[str], deadline: float) -> dict[str, str]:
    connection.settimeout(max(deadline - time.monotonic(), 0.1))
    connection.sendall(json.dumps({"need": list(names)}).encode() + b"\n")
    with connection.makefile("rb") as stream:
        line = stream.readline()
    answer: dict[str, str] = json.loads(line) if line.endswith(b"\n") else {}
    return answer


def _connect_or_start(folder: Path, deadline: float) -> socket.socket:
    with (folder / _START_LOCK_FILE).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        connection = _connect(folder)
        if connection is not None:
            return connection
        process = _start_keeper(folder)
        while time.monotonic() < deadline and process.poll() is None:
            connection = _connect(folder)
            if connection is not None:
                return connection
            time.sleep(_POLL_INTERVAL_S)
    log = folder / keeper.LOG_FILE
    raise NotRunningError(f"the keeper of the embedded stores in {folder} must start, was not ready: {tail(log, 400)}",
                          fix=f"read {log}, or set stores.postgres_url and stores.redis_url")


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
        process = subprocess.Popen(  # a session of its own: neither Ctrl-C nor the end of this process may stop it
            [sys.executable, "-m", "sluice.stores.keeper", str(folder), str(os.getpid())],
            env={**os.environ, "PYTHONPATH": path},
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd="/")
    _started[folder] = process
    return process


def _reap(folder: Path) -> None:
    """Collect the exit status of a keeper that this process started and that has ended or is about to."""
    process = _started.pop(folder, None)
    if process is not None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_TIMEOUT_S)

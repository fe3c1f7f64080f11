"""One embedded server as a process: started when its data is free, watched, restarted when it dies, stopped."""

import asyncio
import contextlib
import fcntl
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

import psycopg

from sluice.errors import NotRunningError, SluiceError
from sluice.stores import servers

START_TIMEOUT_S = 60.0
_FREE_TIMEOUT_S = 30.0
_POLL_INTERVAL_S = 0.02
_RESTART_DELAYS_S = (0.2, 0.5, 1.0, 2.0, 5.0)
_KILLED_STARTS = 3
_log = logging.getLogger("sluice.stores.keeper")


class _KilledError(NotRunningError):
    """A server was ended by a signal before it answered."""


class RunningServer:
    """A server and its process."""

    def __init__(self, lock: Path, prepare: Callable[[], servers.Server]) -> None:
        """Describe it. `lock` is a file that the process holds locked while it, or a child of it, lives."""
        self._lock = lock
        self._prepare = prepare
        self._stopping = False
        self._process: asyncio.subprocess.Process | None = None
        self._watch: asyncio.Task[None] | None = None
        self._server: servers.Server | None = None

    async def start(self) -> servers.Server:
        """Start it and return when it answers. Raises SluiceError where it does not.

        One that was killed meanwhile is started again: there is nothing wrong with it.
        """
        for _ in range(_KILLED_STARTS):
            with contextlib.suppress(_KilledError):
                server = await self._start_once()
                break
        else:
            server = await self._start_once()
        self._watch = asyncio.create_task(self._restart_when_dead())
        return server

    async def _start_once(self) -> servers.Server:
        server, process = await self._spawn()
        self._server, self._process = server, process
        deadline = time.monotonic() + START_TIMEOUT_S
        while not await _answers(server):
            if process.returncode is not None or time.monotonic() > deadline:
                kind = _KilledError if (process.returncode or 0) < 0 else NotRunningError
                raise kind(f"the embedded {server.name} must start, was stopped: {tail(server.log)}",
                           fix=f"read {server.log}, or give a server's URL in [stores]")
            await asyncio.sleep(_POLL_INTERVAL_S)
        return server

    async def _spawn(self) -> tuple[servers.Server, asyncio.subprocess.Process]:
        with await asyncio.to_thread(_locked, self._lock) as lock:
            server = await asyncio.to_thread(self._prepare)
            server.socket.unlink(missing_ok=True)
            with server.log.open("ab") as log:
                return server, await asyncio.create_subprocess_exec(
                    *server.argv, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log, env=server.environ,
                    cwd="/", pass_fds=(lock.fileno(),))

    async def _restart_when_dead(self) -> None:
        attempt = 0
        while self._process is not None:
            code = await self._process.wait()
            if self._stopping:
                return
            _log.warning("a server ended with %s and is started again", code)
            await asyncio.sleep(_RESTART_DELAYS_S[min(attempt, len(_RESTART_DELAYS_S) - 1)])
            try:
                await self._start_once()
                attempt = 0
            except SluiceError as error:
                _log.error("%s", error.message)
                attempt += 1

    async def stop(self) -> None:
        """Stop it, gently first."""
        self._stopping = True
        if self._watch is not None:
            self._watch.cancel()
        if self._process is None or self._server is None:
            return
        for number, patience_s in self._server.stop_signals:
            if self._process.returncode is not None:
                return
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), patience_s)


def _locked(path: Path) -> TextIO:
    """Wait until nothing of an earlier server lives, and lock the file. Raises NotRunningError."""
    stream = path.open("w")
    deadline = time.monotonic() + _FREE_TIMEOUT_S
    while True:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                stream.close()
                raise NotRunningError(f"{path} must be free within {_FREE_TIMEOUT_S:g} s, was still held by a server",
                                      fix="end the server process that still uses this folder") from None
            time.sleep(_POLL_INTERVAL_S)
        else:
            return stream


async def _answers(server: servers.Server) -> bool:
    """Whether the server takes a connection and answers on it."""
    if server.name == servers.POSTGRES:
        with contextlib.suppress(psycopg.OperationalError):
            connection = await psycopg.AsyncConnection.connect(server.url, connect_timeout=5)
            await connection.close()
            return True
        return False
    with contextlib.suppress(OSError):
        reader, writer = await asyncio.open_unix_connection(str(server.socket))
        writer.write(b"PING\r\n")
        answer = await reader.readline()
        writer.close()
        return answer.startswith(b"+PONG")
    return False


def tail(log: Path, size: int = 1000) -> str:
    """Return the end of a log."""
    return log.read_text(errors="replace")[-size:].strip() if log.exists() else "no log"

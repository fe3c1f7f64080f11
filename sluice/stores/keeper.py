"""The process that keeps the embedded PostgreSQL and Redis of one data folder.

Every user holds one connection to the keeper's Unix socket. The kernel closes it however the user ends, so the keeper
always knows who is left, with no lock or process id to go stale: when the last connection is gone it stops the servers
and ends. A server that dies is started again. When the keeper itself is killed the kernel stops the servers
(PR_SET_PDEATHSIG), and the next user starts a new keeper.

The protocol is one line of JSON each way: `{"need": ["postgres", "redis"]}`, then `{"postgres": url, "redis": url}` or
`{"error": message, "fix": text}`. A user leaves by shutting down its side. The keeper answers `STAYING` where others
remain; otherwise the connection ends with the keeper, after the servers.
"""

import asyncio
import contextlib
import fcntl
import json
import logging
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import psycopg

from sluice.errors import InputError, NotRunningError, SluiceError
from sluice.stores import servers

ADDRESS_FILE = "keeper.address"
LOCK_FILE = "keeper.lock"
LOG_FILE = "keeper.log"
STAYING = b"staying\n"
RUN_FOLDER_PREFIX = "sluice-"
START_TIMEOUT_S = 60.0
FIRST_USER_TIMEOUT_S = 20.0
_RESTART_DELAYS_S = (0.2, 0.5, 1.0, 2.0, 5.0)
_PREPARE: dict[str, Callable[[Path, Path], servers.Server]] = {
    servers.POSTGRES: servers.postgres, servers.REDIS: servers.redis}
_log = logging.getLogger("sluice.stores.keeper")


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


class RunningServer:
    """One server process: started, watched, restarted when it dies, stopped."""

    def __init__(self, prepare: Callable[[], servers.Server]) -> None:
        self._prepare = prepare
        self._stopping = False
        self._process: asyncio.subprocess.Process | None = None
        self._watch: asyncio.Task[None] | None = None
        self.server: servers.Server | None = None

    async def start(self) -> None:
        """Start it and return when it answers. Raises SluiceError where it does not."""
        await self._start_once()
        self._watch = asyncio.create_task(self._restart_when_dead())

    async def _start_once(self) -> None:
        self.server = server = await asyncio.to_thread(self._prepare)
        server.socket.unlink(missing_ok=True)
        with server.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *server.argv, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log, env=server.environ, cwd="/")
        deadline = asyncio.get_running_loop().time() + START_TIMEOUT_S
        while not await _answers(server):
            if self._process.returncode is not None or asyncio.get_running_loop().time() > deadline:
                raise NotRunningError(f"the embedded {server.name} must start, was stopped: {_tail(server.log)}",
                                      fix=f"read {server.log}, or give a server's URL in [stores]")
            await asyncio.sleep(0.02)

    async def _restart_when_dead(self) -> None:
        attempt = 0
        while not self._stopping:
            if self._process is not None:
                code = await self._process.wait()
                if self._stopping:
                    return
                _log.warning("server ended, starting it again, exit code %s", code)
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
        if self._process is None or self.server is None:
            return
        for number, patience_s in self.server.stop_signals:
            if self._process.returncode is not None:
                return
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), patience_s)


def _tail(log: Path, size: int = 1000) -> str:
    return log.read_text(errors="replace")[-size:].strip() if log.exists() else "no log"


class Keeper:
    """Counts the users of one data folder and runs what they need."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._run_folder = servers.private_folder(Path(tempfile.mkdtemp(prefix=RUN_FOLDER_PREFIX, dir="/tmp")))
        self._running: dict[str, RunningServer] = {}
        self._starting = asyncio.Lock()
        self._users = 0
        self._idle = asyncio.Event()
        self._last_writers: list[asyncio.StreamWriter] = []

    async def run(self) -> None:
        """Serve until the last user has left or a signal comes, then stop the servers."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._idle.set)
        loop.call_later(FIRST_USER_TIMEOUT_S, self._leave_if_unused)
        socket = self._run_folder / "keeper.sock"
        listener = await asyncio.start_unix_server(self._serve_user, str(socket))
        self._publish(socket)
        await self._idle.wait()
        listener.close()
        async with self._starting:
            await asyncio.gather(*(server.stop() for server in self._running.values()))
        (self._folder / ADDRESS_FILE).unlink(missing_ok=True)
        shutil.rmtree(self._run_folder, ignore_errors=True)

    def _publish(self, socket: Path) -> None:
        """Tell users the address; the run folder that a killed keeper left behind is removed."""
        address = self._folder / ADDRESS_FILE
        if address.exists():
            old = Path(address.read_text()).parent
            if old.name.startswith(RUN_FOLDER_PREFIX):
                shutil.rmtree(old, ignore_errors=True)
        unfinished = address.with_suffix(".new")
        unfinished.write_text(str(socket))
        unfinished.rename(address)

    def _leave_if_unused(self) -> None:
        if self._users == 0:
            self._idle.set()

    async def _serve_user(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._idle.is_set():  # a moment too late: the user asks again and gets a new keeper
            writer.close()
            return
        self._users += 1
        try:
            writer.write(json.dumps(await self._answer(await reader.readline())).encode() + b"\n")
            await writer.drain()
            await reader.read()
        except ConnectionError:
            _log.info("a user was cut off")
        self._users -= 1
        if self._users == 0:
            self._last_writers.append(writer)  # closed by our end: the last user waits for it
            self._idle.set()
        else:
            writer.write(STAYING)
            writer.close()

    async def _answer(self, line: bytes) -> dict[str, str]:
        try:
            names = json.loads(line)["need"]
            return {name: await self._url_of(name) for name in names}
        except SluiceError as error:
            return {"error": error.message, "fix": error.fix}
        except (ValueError, KeyError, TypeError) as error:
            return {"error": f"a request must name what it needs, was {line[:100]!r} ({error})", "fix": ""}

    async def _url_of(self, name: str) -> str:
        if name not in _PREPARE:
            raise InputError(f"an embedded store must be one of {', '.join(_PREPARE)}, was {name!r}")
        async with self._starting:
            if name not in self._running:
                server = RunningServer(lambda: _PREPARE[name](self._folder, self._run_folder))
                try:
                    await server.start()
                except SluiceError:
                    await server.stop()
                    raise
                self._running[name] = server
            prepared = self._running[name].server
        assert prepared is not None
        return prepared.url


async def _run(folder: Path) -> None:
    await Keeper(folder).run()


def main(folder: Path) -> None:
    """Keep the stores of this folder; a second keeper waits here until the first has ended."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    with (folder / LOCK_FILE).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        asyncio.run(_run(folder))


if __name__ == "__main__":
    main(Path(sys.argv[1]))

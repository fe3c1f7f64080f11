"""The process that keeps the embedded PostgreSQL and Redis of one data folder.

Every user holds one connection to the keeper's Unix socket. The kernel closes it however the user ends, so the keeper
always knows who is left, with no lock or process id to go stale: when the last connection is gone it stops the servers
and ends. A server that dies is started again. When the keeper itself is killed the kernel stops the servers
(PR_SET_PDEATHSIG), and every user that is left asks for a new keeper, which takes over at the same URLs.

The protocol is one line of JSON each way: `{"need": ["postgres", "redis"]}`, then `{"postgres": url, "redis": url}` or
`{"error": message, "fix": text}`. A user leaves by shutting down its side. The keeper answers `STAYING` where others
remain; otherwise the connection ends with the keeper, after the servers.
"""

import asyncio
import contextlib
import fcntl
import json
import logging
import os
import shutil
import signal
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from sluice.errors import InputError, SluiceError
from sluice.stores import servers
from sluice.stores.processes import RunningServer
from sluice.telemetry.logging import configure

ADDRESS_FILE = "keeper.address"
LOCK_FILE = "keeper.lock"
LOG_FILE = "keeper.log"
STAYING = b"staying\n"
RUN_FOLDER_PREFIX = "sluice-"
FIRST_USER_TIMEOUT_S = 20.0
_LOOK_INTERVAL_S = 0.2
_SOCKET = "keeper.sock"
_FIX_RIGHTS = "run as an ordinary user, or set stores.postgres_url and stores.redis_url"
_PREPARE: dict[str, Callable[[Path, Path], servers.Server]] = {
    servers.POSTGRES: servers.postgres, servers.REDIS: servers.redis}
_log = logging.getLogger("sluice.stores.keeper")


class Keeper:
    """Counts the users of one data folder and runs what they need."""

    def __init__(self, folder: Path, run_folder: Path, starter: int) -> None:
        """`starter` is the process that started this one."""
        self._starter = starter
        self._used = False
        self._folder = folder
        self._run_folder = run_folder
        self._running: dict[str, RunningServer] = {}
        self._urls: dict[str, str] = {}
        self._starting = asyncio.Lock()
        self._users = 0
        self._idle = asyncio.Event()
        self._last_writers: list[asyncio.StreamWriter] = []

    async def run(self) -> None:
        """Serve until the last user has left or a signal comes, then stop the servers."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._idle.set)
        self._await_first_user(loop.time() + FIRST_USER_TIMEOUT_S)
        address = self._run_folder / _SOCKET
        address.unlink(missing_ok=True)
        listener = await asyncio.start_unix_server(self._serve_user, str(address))
        _publish(self._folder / ADDRESS_FILE, address)
        await self._idle.wait()
        listener.close()
        async with self._starting:
            await asyncio.gather(*(server.stop() for server in self._running.values()))
        (self._folder / ADDRESS_FILE).unlink(missing_ok=True)

    def _await_first_user(self, deadline: float) -> None:
        """Leave where nobody comes, or where the starter, who would have been the first, has ended."""
        loop = asyncio.get_running_loop()
        if self._used:
            return
        if loop.time() > deadline or os.getppid() != self._starter:
            self._idle.set()
            return
        loop.call_later(_LOOK_INTERVAL_S, self._await_first_user, deadline)

    async def _serve_user(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._idle.is_set():  # a moment too late: the user asks again and gets a new keeper
            writer.close()
            return
        self._users += 1
        self._used = True
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
        except OSError as error:
            return {"error": f"the embedded stores must be able to start, were refused: {error}", "fix": _FIX_RIGHTS}
        except (ValueError, KeyError, TypeError) as error:
            return {"error": f"a request must name what it needs, was {line[:100]!r} ({error})", "fix": ""}

    async def _url_of(self, name: str) -> str:
        if name not in _PREPARE:
            raise InputError(f"an embedded store must be one of {', '.join(_PREPARE)}, was {name!r}")
        async with self._starting:
            if name not in self._urls:
                prepare = partial(_PREPARE[name], self._folder, self._run_folder)
                server = RunningServer(self._folder / f"{name}.lock", prepare)
                try:
                    self._urls[name] = (await server.start()).url
                except SluiceError:
                    await server.stop()
                    raise
                self._running[name] = server
            return self._urls[name]


def _publish(file: Path, address: Path) -> None:
    unfinished = file.with_suffix(".new")
    unfinished.write_text(str(address))
    unfinished.rename(file)


@contextmanager
def _run_folder(folder: Path) -> Iterator[Path]:
    """Give a private folder with a short path for the sockets.

    It is the one that a killed keeper left, where there is one, so that the URLs stay the same.
    """
    run_folder = _left_behind(folder) or Path(tempfile.mkdtemp(prefix=RUN_FOLDER_PREFIX, dir="/tmp"))
    try:
        yield servers.private_folder(run_folder)
    finally:
        shutil.rmtree(run_folder, ignore_errors=True)


def _left_behind(folder: Path) -> Path | None:
    with contextlib.suppress(OSError):
        path = Path((folder / ADDRESS_FILE).read_text()).parent
        status = path.lstat()
        owners = {os.geteuid(), (servers.account() or (os.geteuid(), 0))[0]}
        private = stat.S_ISDIR(status.st_mode) and status.st_uid in owners and not status.st_mode & 0o077
        if path.name.startswith(RUN_FOLDER_PREFIX) and private:
            return path
    return None


def main(folder: Path, starter: int) -> None:
    """Keep the stores of this folder; a second keeper waits here until the first has ended."""
    configure("INFO")
    with (folder / LOCK_FILE).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with _run_folder(folder) as run_folder:
            asyncio.run(Keeper(folder, run_folder, starter).run())


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), int(sys.argv[2]))
    except (OSError, SluiceError) as error:
        sys.exit(f"the embedded stores must be able to start, were refused: {error}")

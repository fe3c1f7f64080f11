"""Starts the processes of a run, watches them, restarts what crashes and stops everything in reverse order.

A crash is any end with a code other than 0 (a signal counts): the process starts again after a delay that doubles,
until it has crashed too often, which is reported with the end of its log. A wrong configuration (exit code 4) is
reported at once, because another try cannot help. A process that ends with 0 has done its work.

Nothing outlives the supervisor: on Linux the kernel kills the children when the thread that started them ends, however
it ends; that thread is the supervisor's own, so any thread may use it. It is not an init system: it knows nothing of
dependencies.
"""

import contextlib
import enum
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from sluice import launcher
from sluice.errors import ConfigurationError, DeadlineError, InputError, NotFoundError, NotRunningError
from sluice.rpc.deployment import VARIABLE, own_deployment
from sluice.rpc.health import is_serving

FIRST_DELAY_S = 0.2
LONGEST_DELAY_S = 5.0
STOP_TIMEOUT_S = 10.0
_POLL_INTERVAL_S = 0.02
_LOG_LINES = 15


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """A process to run. `address` is its gRPC health address, or empty; `serving` asks where it is told another way.

    `environ` is added to our own environment; a variable that is None there is taken out of it.
    """

    name: str
    argv: tuple[str, ...]
    environ: Mapping[str, str | None]
    log: Path
    address: str = ""
    restart: bool = True
    serving: Callable[[], bool] | None = None


class What(enum.StrEnum):
    """What happened to a process."""

    ENDED = "ended"  # by itself, and it stays so
    CRASHED = "crashed"  # and will be restarted
    RESTARTED = "restarted"
    GAVE_UP = "gave up"  # crashed too often, or for a reason that a restart cannot cure


@dataclass(frozen=True, slots=True)
class ProcessEvent:
    """Something that happened. `exit_code` is negative for a signal; `log_tail` is filled where it ended for good."""

    name: str
    what: What
    exit_code: int | None = None
    log_tail: str = ""


@dataclass(slots=True)
class _Child:
    spec: ProcessSpec
    process: "subprocess.Popen[bytes]"
    crashes: list[float] = field(default_factory=list)  # monotonic seconds
    restart_at: float | None = None
    exit_code: int | None = None  # set when it ended for good


class Supervisor:
    """Runs named processes; a context manager that stops them all."""

    def __init__(self, *, max_restarts: int = 5, window_s: float = 60.0, stop_timeout_s: float = STOP_TIMEOUT_S,
                 monotonic_s: Callable[[], float] = time.monotonic) -> None:
        """Give up on a process that crashes more than `max_restarts` times within `window_s` seconds."""
        self._max_restarts = max_restarts
        self._window_s = window_s
        self._stop_timeout_s = stop_timeout_s
        self._now_s = monotonic_s
        self._children: dict[str, _Child] = {}
        self._lock = threading.RLock()
        self._spawner = ThreadPoolExecutor(max_workers=1, thread_name_prefix="supervisor")
        self._events: list[ProcessEvent] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 where: TracebackType | None) -> None:
        for name in reversed(self._children):
            self.stop(name)
        self._spawner.shutdown()

    def start(self, spec: ProcessSpec) -> None:
        """Start a process. Raises InputError where one of its name is running."""
        with self._lock:
            old = self._children.get(spec.name)
            if old is not None and old.exit_code is None:
                raise InputError(f"a process's name must be its own, was {spec.name}, which is running")
            self._children.pop(spec.name, None)  # so that it is the last one, and the first to be stopped
            self._children[spec.name] = _Child(spec, self._spawn(spec))

    def wait_ready(self, name: str, timeout_s: float = 30.0) -> None:
        """Return when the process is serving (or has started, where it has no address).

        Raises NotRunningError with the end of its log where it ended for good, and DeadlineError.
        """
        child = self._child(name)
        deadline = self._now_s() + timeout_s
        while self._now_s() < deadline:
            self._advance()
            if child.exit_code is not None:
                raise NotRunningError(f"{name} must start, ended with {child.exit_code}: {_tail(child.spec.log)}",
                                      fix=f"read {child.spec.log}")
            if child.restart_at is None and _ready(child.spec):
                return
            time.sleep(_POLL_INTERVAL_S)
        raise DeadlineError(f"{name} must be ready within {timeout_s:g} s, was not: {_tail(child.spec.log)}",
                            fix=f"read {child.spec.log}")

    def poll(self) -> list[ProcessEvent]:
        """Restart what is due and return what happened since the last call. Never blocks; call it often."""
        with self._lock:
            self._advance()
            events, self._events = self._events, []
            return events

    def exit_code(self, name: str) -> int | None:
        """Return the code of a process that ended for good; None while it runs or is about to be restarted."""
        return self._child(name).exit_code

    def pid(self, name: str) -> int:
        """Return the process id. Raises NotRunningError where it is not running now."""
        child = self._child(name)
        if child.exit_code is not None or child.restart_at is not None:
            raise NotRunningError(f"{name} must be running, was not", fix=f"read {child.spec.log}")
        return child.process.pid

    def stop(self, name: str) -> None:
        """Stop a process with its whole group: SIGTERM, and SIGKILL after the time limit. It is not restarted."""
        with self._lock:
            child = self._child(name)
            if child.exit_code is not None:
                return
            child.restart_at = None
            child.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.process.wait(self._stop_timeout_s)
            _kill_group(child.process)
            child.exit_code = child.process.wait()

    def _child(self, name: str) -> _Child:
        try:
            return self._children[name]
        except KeyError:
            raise NotFoundError(f"a process must be one of {', '.join(self._children)}, was {name!r}") from None

    def _spawn(self, spec: ProcessSpec) -> "subprocess.Popen[bytes]":
        return self._spawner.submit(_spawn, spec).result()

    def _advance(self) -> None:
        with self._lock:
            for child in self._children.values():
                if child.restart_at is not None and self._now_s() >= child.restart_at:
                    child.restart_at = None
                    child.process = self._spawn(child.spec)
                    self._events.append(ProcessEvent(child.spec.name, What.RESTARTED))
                elif child.restart_at is None and child.exit_code is None and child.process.poll() is not None:
                    self._on_end(child, child.process.returncode)

    def _on_end(self, child: _Child, code: int) -> None:
        _kill_group(child.process)  # what it started itself
        now_s = self._now_s()
        child.crashes = [each for each in child.crashes if each > now_s - self._window_s]
        if code == 0 or not child.spec.restart:
            self._end(child, What.ENDED, code)
        elif code == ConfigurationError.exit_code or len(child.crashes) >= self._max_restarts:
            self._end(child, What.GAVE_UP, code)
        else:
            child.restart_at = now_s + min(FIRST_DELAY_S * 2 ** len(child.crashes), LONGEST_DELAY_S)
            child.crashes.append(now_s)
            self._events.append(ProcessEvent(child.spec.name, What.CRASHED, code))

    def _end(self, child: _Child, what: What, code: int) -> None:
        child.exit_code = code
        self._events.append(ProcessEvent(child.spec.name, what, code, _tail(child.spec.log)))


def _spawn(spec: ProcessSpec) -> "subprocess.Popen[bytes]":
    spec.log.parent.mkdir(parents=True, exist_ok=True)
    with spec.log.open("ab") as log:
        return subprocess.Popen(
            launcher.command(spec.argv, death_signal=signal.SIGKILL), env=_environ(spec),
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, process_group=0)


def _ready(spec: ProcessSpec) -> bool:
    if spec.serving is not None:
        return spec.serving()
    deployment = spec.environ.get(VARIABLE) or own_deployment()
    return not spec.address or is_serving(spec.address, deployment=deployment)


def _environ(spec: ProcessSpec) -> dict[str, str]:
    return {name: value for name, value in {**os.environ, **spec.environ}.items() if value is not None}


def _kill_group(process: "subprocess.Popen[bytes]") -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _tail(log: Path) -> str:
    """Return the last lines of a log."""
    with contextlib.suppress(OSError), log.open("rb") as stream:
        stream.seek(max(log.stat().st_size - 8192, 0))
        lines = stream.read().decode(errors="replace").splitlines()
        return "\n".join(lines[-_LOG_LINES:])
    return ""

"""The demo's world: its own folder, its own namespace, addresses that are free, and a tape.

A demo begins from nothing: what the demo before left in its namespace is removed. It touches no other namespace.
"""

import fcntl
import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from psycopg import sql

from backtest.synthetic import GENERATION, make_tape
from dataflows.tapes.files import TapeDamagedError, find_tapes, read_lines
from sluice.cli.progress import progress_bar
from sluice.config import Settings
from sluice.errors import SluiceError
from sluice.stores import postgres, redis
from sluice.stores.embedded import StoreUrls

NAMESPACE = "demo"
ROOMS = ("risk", "execution")
SERVICES = ("inference", "risk", "execution")


def demo_settings(settings: Settings, tapes: tuple[Path, ...]) -> Settings:
    """Return the settings of a demo: simulated, on event time, in a folder and namespace of its own.

    Where its services listen is decided by `with_free_addresses`, right before they start.
    """
    run = settings.run.model_copy(update={
        "data_dir": (settings.run.data_dir / "demo").absolute(), "namespace": NAMESPACE,
        "environment": "simulated", "clock": "event"})
    execution = settings.execution.model_copy(update={"venue": "simulated"})
    source = settings.source.model_copy(update={"kind": "tape", "tapes": tuple(path.absolute() for path in tapes)})
    return settings.model_copy(update={"run": run, "execution": execution, "source": source})


@contextmanager
def choosing_addresses() -> Iterator[None]:
    """Hold the machine's lock on choosing addresses, so that two demos that start at once never choose the same.

    It is held until the services listen: a port that was found free is nobody's until it is bound.
    """
    path = Path(tempfile.gettempdir()) / f"sluice-addresses-{os.getuid()}.lock"
    # Everybody may write there: a link that somebody else put in this place is not followed.
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def with_free_addresses(settings: Settings) -> Settings:
    """Return settings whose services listen where nobody does: on the configured ports where they are free."""
    changed = {}
    for name in SERVICES:
        section = getattr(settings, name)
        changed[name] = section.model_copy(update={"address": free_address(section.address)})
    return settings.model_copy(update=changed)


def free_address(address: str) -> str:
    """Return the address itself where it can be bound, or another port of the same host."""
    host, _, port = address.rpartition(":")
    if address.startswith("unix:") or _can_bind(host, int(port)):
        return address
    with socket.socket() as probe:
        probe.bind((host, 0))
        return f"{host}:{probe.getsockname()[1]}"


def _can_bind(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold the demo's folder. Raises `SluiceError` where another demo holds it."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "demo.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise SluiceError(
                f"a demo must have its folder for itself, and another one runs in {folder}",
                fix="wait for it, or set SLUICE_RUN__DATA_DIR") from error
        yield


def clear(settings: Settings, urls: StoreUrls) -> None:
    """Remove what an earlier demo left: its schemas, its Redis keys, its recovery state and outputs."""
    with postgres.connect_sync(urls.postgres_url, "public") as connection:
        for room in ROOMS:
            schema = sql.Identifier(postgres.schema_of(NAMESPACE, room))
            connection.execute(sql.SQL("drop schema if exists {} cascade").format(schema))
        connection.commit()
    client = redis.connect_sync(urls.redis_url)
    for found in client.scan_iter(match=f"{NAMESPACE}:*", count=1000):
        client.delete(found)
    client.close()
    for name in ("recovery", "flow", "logs", "run"):
        shutil.rmtree(settings.run.data_dir / name, ignore_errors=True)


def with_tape(settings: Settings, *, minutes: float, seed: int, quiet: bool) -> Settings:
    """Return settings that name a tape: those given where they do, else a synthetic one, which is made."""
    if settings.source.tapes:
        return settings
    with progress_bar("making a synthetic tape", quiet=quiet) as advance:
        tape = _synthetic_tape(settings.run.data_dir, minutes=minutes, seed=seed, progress=advance)
    return settings.model_copy(update={"source": settings.source.model_copy(update={"tapes": (tape,)})})


def _synthetic_tape(folder: Path, *, minutes: float, seed: int, progress: Callable[[float], None]) -> Path:
    """Return the folder of the synthetic tape of these parameters, made where it is not there yet.

    Two runs may make it at once: each makes its own, and the first one stays.
    """
    target = folder / "tapes" / f"synthetic{GENERATION}-seed{seed}-{minutes:g}min"
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f"{target.name}.making-", dir=target.parent) as making:
            made = Path(making) / "tape"
            make_tape(made, seed=seed, minutes=minutes, progress=progress)
            if not target.exists():
                made.rename(target)
    return target


def count_lines(tapes: Sequence[Path]) -> int:
    """Return how many lines tapes have, for a progress bar; what comes after a damage is not counted."""
    total = 0
    for path in find_tapes(tapes):
        try:
            for lines in read_lines(path):
                total += len(lines)
        except TapeDamagedError:
            continue
    return total

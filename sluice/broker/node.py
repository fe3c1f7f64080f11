"""One Kafka node in a folder: its properties, its formatted storage, and how its process is started.

The node is controller and broker in one (KRaft). Its ports are free ones, chosen the first time and kept, so that a
broker that is started again is found where it was. Topics are never made by being written to: a wrong name is an error.
"""

import base64
import contextlib
import fcntl
import re
import shutil
import socket
import subprocess
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sluice.broker import installation
from sluice.errors import InputError, NotRunningError
from sluice.files import replace_file
from sluice.supervisor import ProcessSpec
from sluice.topics.clients import answers

NAME: Final = "kafka"
HOST: Final = "127.0.0.1"
HEAP_MB: Final = 512
_LISTENERS: Final = re.compile(r"^listeners=BROKER://\S+?:(\d+),CONTROLLER://\S+?:(\d+)$", re.MULTILINE)
_PROPERTIES: Final = "server.properties"
_FORMAT_TIMEOUT_S: Final = 60
_QUICK_START: Final = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
_TEMPLATE: Final = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller_port}
listeners=BROKER://{host}:{port},CONTROLLER://{host}:{controller_port}
advertised.listeners=BROKER://{host}:{port}
listener.security.protocol.map=BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=BROKER
controller.listener.names=CONTROLLER
log.dirs={data}
auto.create.topics.enable=false
default.replication.factor=1
min.insync.replicas=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
# A node that was killed may register again when its old session has run out.
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
"""


@dataclass(frozen=True, slots=True)
class Node:
    """A node that is ready to be started. `bootstrap_servers` is where clients find it."""

    folder: Path
    java: str
    jars: Path
    port: int

    @property
    def bootstrap_servers(self) -> str:
        """Return the address for clients."""
        return f"{HOST}:{self.port}"

    def process(self, *, heap_mb: int = HEAP_MB, short_lived: bool = False) -> ProcessSpec:
        """Return how a supervisor starts it: it is ready when it answers a request for metadata.

        A short-lived one starts in half the time and is slower under load.
        """
        quick = _QUICK_START if short_lived else ()
        options = (f"-Xmx{heap_mb}m", *quick, "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
                   "-Dorg.slf4j.simpleLogger.showDateTime=true",
                   "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSX")
        argv = (self.java, *options, "-cp", f"{self.jars}/*", "kafka.Kafka", str(self.folder / _PROPERTIES))
        return ProcessSpec(name=NAME, argv=argv, environ={}, log=self.folder / "kafka.log",
                           serving=lambda: answers(self.bootstrap_servers))


def prepare(folder: Path, *, cache: Path | None = None) -> Node:
    """Return the node of a folder, made and formatted where it is new; what it holds is kept.

    The first time on a machine it fetches the jars; formatting takes about a second and a half. Raises SluiceError,
    InputError where a broker of this folder is running.
    """
    java, jars = installation.java(), installation.jars(cache)
    folder = folder.expanduser().resolve()
    _make(folder)
    _require_free(folder)
    port, controller_port = _ports(folder / _PROPERTIES)
    if not (data := folder / "data").is_dir():
        _format(java, jars, folder, data)
    _write(folder / _PROPERTIES, data, port, controller_port)
    return Node(folder, java, jars, port)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"the broker's folder must be writable, was {folder} ({error.strerror})",
                         fix="set run.data_dir to a folder of yours") from None


def _require_free(folder: Path) -> None:
    """Raise InputError where a broker holds the folder: it would be given other ports while it runs."""
    with contextlib.suppress(FileNotFoundError), (folder / "data" / ".lock").open("r+") as lock:
        try:
            fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # as Kafka itself locks it
        except OSError:
            raise InputError(f"the broker's folder must be free, and one is running in {folder}",
                             fix="stop it, or name it in kafka.bootstrap_servers") from None


def _format(java: str, jars: Path, folder: Path, data: Path) -> None:
    """Format storage beside its place; it gets its name when it is complete."""
    unfinished = data.with_suffix(".new")
    shutil.rmtree(unfinished, ignore_errors=True)
    properties = folder / "format.properties"
    _write(properties, unfinished, *_free_ports())
    argv = [java, *_QUICK_START, "-cp", f"{jars}/*", "kafka.tools.StorageTool", "format",
            "--cluster-id", _cluster_id(), "--config", str(properties)]
    try:
        done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=_FORMAT_TIMEOUT_S)
        ended, told = str(done.returncode), (done.stdout + done.stderr).strip()[-1000:]
    except subprocess.TimeoutExpired:
        ended, told = "no answer", f"stopped after {_FORMAT_TIMEOUT_S} s"
    if ended != "0" or not (unfinished / "meta.properties").is_file():
        raise NotRunningError(f"Kafka's storage must be formatted in {folder}, ended with {ended}: {told}",
                              fix="look at the message above")
    properties.unlink()
    unfinished.rename(data)


def _cluster_id() -> str:
    """Return a new id as Kafka writes them: 16 bytes in base64 for URLs, with no dash in front."""
    while (text := base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")).startswith("-"):
        pass
    return text


def _write(path: Path, data: Path, port: int, controller_port: int) -> None:
    text = _TEMPLATE.format(host=HOST, port=port, controller_port=controller_port, data=data)
    replace_file(path, text.encode())


def _ports(properties: Path) -> tuple[int, int]:
    """Return the ports of broker and controller: those of the last time where they are free."""
    if properties.is_file():
        found = _LISTENERS.search(properties.read_text())
        if found and _are_free(kept := (int(found[1]), int(found[2]))):
            return kept
    return _free_ports()


def _are_free(ports: tuple[int, int]) -> bool:
    with contextlib.ExitStack() as sockets:
        for port in ports:
            each = sockets.enter_context(socket.socket())
            each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as Kafka itself does: TIME_WAIT is free
            try:
                each.bind((HOST, port))
            except OSError:
                return False
    return True


def _free_ports() -> tuple[int, int]:
    with socket.socket() as first, socket.socket() as second:
        first.bind((HOST, 0))
        second.bind((HOST, 0))
        return first.getsockname()[1], second.getsockname()[1]

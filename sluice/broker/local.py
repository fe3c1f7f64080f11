"""A local broker for as long as a block lasts: what the tests use, and anything else that wants one of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sluice.broker.node import NAME, Node, prepare
from sluice.supervisor import Supervisor

READY_TIMEOUT_S: Final = 60.0
#: A broker that is stopped writes its indexes and hands its leaderships over.
STOP_TIMEOUT_S: Final = 30.0


class LocalBroker:
    """A running broker. `supervisor` restarts it where it dies, at the next of its polls."""

    def __init__(self, node: Node, supervisor: Supervisor, *, short_lived: bool) -> None:
        self.node = node
        self.supervisor = supervisor
        self._short_lived = short_lived

    @property
    def bootstrap_servers(self) -> str:
        """Return the address for clients."""
        return self.node.bootstrap_servers

    def start(self) -> None:
        """Start it and return when it answers. Raises SluiceError."""
        self.supervisor.start(self.node.process(short_lived=self._short_lived))
        self.wait_ready()

    def wait_ready(self) -> None:
        """Return when it answers, restarted where it has died. Raises SluiceError."""
        self.supervisor.wait_ready(NAME, READY_TIMEOUT_S)

    def stop(self) -> None:
        """Stop it in order."""
        self.supervisor.stop(NAME)

    def pid(self) -> int:
        """Return its process id. Raises NotRunningError."""
        return self.supervisor.pid(NAME)


@contextmanager
def local_broker(folder: Path, *, short_lived: bool = False) -> Iterator[LocalBroker]:
    """Run the broker of a folder, made where it is new, and stop it at the end of the block. Raises SluiceError."""
    node = prepare(folder)
    with Supervisor(stop_timeout_s=STOP_TIMEOUT_S) as supervisor:
        broker = LocalBroker(node, supervisor, short_lived=short_lived)
        broker.start()
        yield broker

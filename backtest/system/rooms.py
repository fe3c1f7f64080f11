"""Risk and execution in this process: the services' own classes, put together around memory in place of stores.

The two know each other only as they do over the network: risk hands out signed bytes and may ask for an approval to be
burnt; execution trusts one public key and tells what happened in reports. The signing key lives as long as the run.
"""

from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from backtest.system.stores import MemoryDecisions, MemoryNonces, MemoryOrders
from execution.cancellation import Cancellation
from execution.desk import Desk, Tools
from execution.feed import ReportFeed
from execution.gate import ApprovalRefusedError
from execution.ledger import Ledger
from execution.submission import Submission
from execution.venues.interface import SimulatedTime, Venue
from execution.wiring import approval_gate
from risk import wire
from risk.gate import Gate
from risk.server import make_gate
from sluice.clock import EventClock
from sluice.config import Settings
from sluice.config.loading import catalog_of
from sluice.envelope import Signer
from sluice.errors import InvariantError
from sluice.execution.v1.execution_pb2 import ExecutionReport
from sluice.risk.v1.approval_pb2 import SignedApproval


@dataclass(frozen=True, slots=True)
class ExecutionRoom:
    """Execution, without its server. `journal` is what its desk writes to."""

    desk: Desk
    submission: Submission
    cancellation: Cancellation
    journal: MemoryOrders

    @property
    def time(self) -> SimulatedTime:
        """Return the venue's time. Raises `InvariantError` where it is not simulated."""
        if not isinstance(self.desk.venue, SimulatedTime):
            raise InvariantError(f"a backtest's venue must have simulated time, was {self.desk.venue.name}")
        return self.desk.venue

    async def void(self, signed: SignedApproval) -> bool:
        """Burn an approval that was never used; False where it is refused."""
        try:
            await self.desk.exclusively(self.submission.void(signed))
        except ApprovalRefusedError:
            return False
        return True


@dataclass(frozen=True, slots=True)
class Rooms:
    """Both sides of the veto, and what risk has journalled."""

    risk: Gate
    execution: ExecutionRoom
    decisions: MemoryDecisions

    async def open(self) -> None:
        """Begin risk's first epoch, without which execution takes nothing."""
        await self.risk.advance_epoch()
        self.risk.open(0)

    async def deliver(self) -> None:
        """Bring execution's new reports to risk, in sequence, as its copy of the stream does."""
        buffer = self.risk.reports
        for raw in self.execution.journal.between(buffer.received, self.execution.desk.ledger.last_sequence):
            await buffer.add(wire.read_report(ExecutionReport.FromString(raw)))


def make_rooms(settings: Settings, venue: Venue) -> Rooms:
    """Return risk and execution around a venue, both in event time, with a signing key of their own."""
    signer, nonces, decisions = Signer(Ed25519PrivateKey.generate()), MemoryNonces(), MemoryDecisions()
    execution = _execution(settings, venue, nonces, signer)
    gate = make_gate(settings, catalog_of(settings), decisions, nonces, execution, signer)
    return Rooms(gate, execution, decisions)


def _execution(settings: Settings, venue: Venue, nonces: MemoryNonces, signer: Signer) -> ExecutionRoom:
    catalog, journal, ledger, clock = catalog_of(settings), MemoryOrders(), Ledger(), EventClock()
    desk = Desk(Tools(venue, journal, ledger, ReportFeed(0, journal.page, keep=0), clock))
    gate = approval_gate(settings, catalog, clock, lambda: {signer.key_id: signer.public_key})
    return ExecutionRoom(desk, Submission(desk, gate, nonces, catalog), Cancellation(desk), journal)

"""What a venue is to execution: it takes orders and cancels, and says what became of them.

A venue is an entry point of the group `sluice.venues`: a class with
`from_settings(settings: Settings, catalog: InstrumentCatalog) -> Venue`. Execution journals before it calls one and
journals what it answers; a venue itself keeps nothing durable. Events are facts in the venue's time, may repeat, and
may come in any order; an event may belong to another order than the one that was asked about.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Protocol, runtime_checkable

from execution.domain import Fill, OrderRequest
from sluice.config.settings import Settings
from sluice.instruments import Instrument, InstrumentCatalog


class VenueEventKind(Enum):
    """What a venue can say about an order. The numbers are those of the contract's `ReportKind`.

    ALARM is no report: something happened to the account that our commands do not explain, such as a liquidation.
    """

    ACCEPTED = 2
    FILL = 3
    CANCELED = 4
    REJECTED = 5
    EXPIRED = 6
    CANCEL_REJECTED = 9
    ALARM = 100


#: A trade of an order, in the domain's own form.
VenueFill = Fill


@dataclass(frozen=True, slots=True)
class VenueEvent:
    """One fact about an order. `fill` is set for FILL and only there; `event_time_ns` is the venue's event time."""

    kind: VenueEventKind
    client_order_id: str
    event_time_ns: int
    venue_order_id: str
    message: str = ""
    fill: VenueFill | None = None


class VenueCommandKind(Enum):
    """What execution asks of a venue."""

    SUBMIT = 1
    CANCEL = 2


@dataclass(frozen=True, slots=True)
class VenueCommand:
    """A journalled command: the order `request` was to be sent, or cancelled, at `sent_at_ns`."""

    kind: VenueCommandKind
    request: OrderRequest
    sent_at_ns: int


class VenueOutcomeUnknown(Exception):  # noqa: N818  # a state of the order, not a failure of ours
    """What became of a request is not known: a timeout, a disconnect, a 5xx. Never raised for a definite refusal."""


class Venue(Protocol):
    """A place that takes orders. Execution calls one method at a time."""

    name: str

    async def submit(self, request: OrderRequest, sent_at_ns: int) -> list[VenueEvent]:
        """Send an order and return what is known at once, e.g. ACCEPTED and first fills, or REJECTED.

        Raises `VenueOutcomeUnknown`.
        """
        ...

    async def cancel(self, client_order_id: str, instrument: Instrument, sent_at_ns: int) -> list[VenueEvent]:
        """Ask for a cancel and return what is known at once: CANCELED, or CANCEL_REJECTED where it is not possible.

        Raises `VenueOutcomeUnknown`.
        """
        ...

    async def recover(self, commands: Sequence[VenueCommand]) -> list[VenueEvent]:
        """Return every event that the venue knows about the orders of these commands, in the order they happened.

        Called at the start with every journalled command, in order (an `EventStream`: with those of the orders that are
        not final), and again by Reconcile with those of the orders that are not final. A simulated venue applies the
        commands that it has not seen, each at its `sent_at_ns`, and so also sends what was journalled but not sent. A
        real venue asks for the fate of every order, cancels again what still rests although a cancel was asked for, and
        never sends an order. An order that the answer does not name is one that the venue definitely does not have;
        where it cannot be sure, it raises `VenueOutcomeUnknown`.
        """
        ...

    async def close(self) -> None:
        """Let go of connections and files."""
        ...


class VenueFactory(Protocol):
    """What a venue's entry point is: a class that can be made from the configuration."""

    def from_settings(self, settings: Settings, catalog: InstrumentCatalog) -> Venue:
        """Return the venue, not yet connected."""
        ...


@runtime_checkable
class SimulatedTime(Protocol):
    """A venue whose market is played from a tape, so that its time is moved from outside."""

    async def advance_to(self, event_time_ns: int) -> list[VenueEvent]:
        """Play the market up to and including a time and return what happened to orders. Going back does nothing."""
        ...

    def now_ns(self) -> int:
        """Return how far the market has been played."""
        ...


@dataclass(frozen=True, slots=True)
class Holdings:
    """What the account holds, whoever caused it.

    `positions` are by instrument key, signed, none of them 0; `open_orders` (client order id -> instrument key) are
    those of the instruments that are traded.
    """

    positions: Mapping[str, Decimal]
    open_orders: Mapping[str, str]


@runtime_checkable
class AccountView(Protocol):
    """A venue that can tell what the account holds."""

    async def holdings(self) -> Holdings:
        """Return what the account holds now. Raises `VenueOutcomeUnknown`: a question that failed says nothing."""
        ...


@runtime_checkable
class EventStream(Protocol):
    """A venue whose events come by themselves, at any time.

    `start` is called once, before `recover`. Events may repeat what an answer or `recover` said, and may come before
    the answer that they belong to. Execution may ask `recover` about orders whose submission has ended while it submits
    or cancels others.
    """

    @property
    def events_received(self) -> int:
        """Return how many messages have come, whatever they said."""
        ...

    async def start(self) -> None:
        """Connect, and see that orders can be sent. Raises `NotRunningError` and `ConfigurationError`."""
        ...

    async def next_events(self) -> list[VenueEvent]:
        """Wait until there are events and return them, in the order in which they came. One task waits at a time.

        Raises `InvariantError` where events can no longer come, because something that brings them has ended.
        """
        ...

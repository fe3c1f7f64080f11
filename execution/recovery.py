"""After a start, and whenever asked: the journal's commands are laid before the venue, and its answers journalled.

Journal and venue are brought into agreement; the venue's word wins. An order that was journalled and that the venue
definitely does not have is sent now if its approval still lives, and is closed as REJECTED otherwise: an approval is
never stretched by a crash, and an order whose fate was unknown is never sent again.
"""

import logging
from collections.abc import Iterable, Sequence, Set

from execution.desk import Desk
from execution.domain import ExecutionReport, OrderState
from execution.ledger import Draft, Ledger
from execution.state_machine import Occurrence
from execution.venues.interface import (
    SimulatedTime,
    VenueCommand,
    VenueCommandKind,
    VenueEvent,
    VenueOutcomeUnknown,
)
from sluice.errors import NotRunningError
from sluice.orders import OrderStatus, ReportKind

_log = logging.getLogger("execution.recovery")
_COMMANDS = {ReportKind.SUBMITTED: VenueCommandKind.SUBMIT, ReportKind.CANCEL_REQUESTED: VenueCommandKind.CANCEL}
#: Words that only an order can have caused that the venue has taken. A cancel is refused for an unknown order too.
_PRESENT = frozenset({ReportKind.ACCEPTED, ReportKind.FILL, ReportKind.CANCELED, ReportKind.EXPIRED})


def journalled_commands(ledger: Ledger, reports: Iterable[ExecutionReport]) -> list[VenueCommand]:
    """Return every command that was ever journalled, in order: what a simulated venue is rebuilt from."""
    return [VenueCommand(_COMMANDS[report.kind], ledger.require(report.client_order_id).request, report.event_time_ns)
            for report in reports if report.kind in _COMMANDS]


def commands_of(orders: Iterable[OrderState]) -> list[VenueCommand]:
    """Return the commands about some orders, by the time they were sent."""
    commands: list[VenueCommand] = []
    for order in orders:
        commands.append(VenueCommand(VenueCommandKind.SUBMIT, order.request, order.created_at_ns))
        commands += [VenueCommand(VenueCommandKind.CANCEL, order.request, int(sent_at_ns))
                     for kind, sent_at_ns in order.seen if kind is ReportKind.CANCEL_REQUESTED]
    return sorted(commands, key=lambda command: command.sent_at_ns)


class Recovery:
    """Brings journal and venue into agreement. Its methods run inside `Desk.exclusively`, but for one that says so."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def recover(self, commands: Sequence[VenueCommand]) -> None:
        """Do what has to be done before the service may serve. Raises `NotRunningError` where the venue is unsure."""
        await self._agree(commands)
        venue = self._desk.venue
        if self._desk.in_event_time and isinstance(venue, SimulatedTime):
            await self._desk.play(venue, self._desk.now_ns())

    async def reconcile(self) -> list[OrderState]:
        """Ask for the fate of every order that is not final; return the states that changed."""
        ledger = self._desk.ledger
        before = {order.client_order_id: order for order in ledger.orders()}
        await self._agree(commands_of(ledger.open_orders()))
        return [order for order in ledger.orders() if before.get(order.client_order_id) != order]

    async def reconcile_beside(self) -> list[OrderState]:
        """Do what `reconcile` does, outside of `Desk.exclusively`: only the answer takes a turn of the desk.

        A real venue needs seconds to be sure about an order, and no cancel may wait for that. An order whose submission
        is being carried out is left to it.
        """
        ledger = self._desk.ledger
        before = {order.client_order_id: order for order in ledger.orders()}
        asked = [order for order in ledger.open_orders() if order.status is not OrderStatus.PENDING]
        events = await self._told(commands_of(asked))
        await self._desk.exclusively(self.settle(events, {order.client_order_id for order in asked}))
        return [order for order in ledger.orders() if before.get(order.client_order_id) != order]

    async def _agree(self, commands: Sequence[VenueCommand]) -> None:
        events = await self._told(commands)
        await self.settle(events, {command.request.client_order_id for command in commands})

    async def _told(self, commands: Sequence[VenueCommand]) -> Sequence[VenueEvent]:
        try:
            return await self._desk.venue.recover(commands)
        except VenueOutcomeUnknown as error:
            raise NotRunningError(f"the venue must tell the fate of every order, and did not: {error}",
                                  fix="ask again when the venue answers") from None

    async def settle(self, events: Sequence[VenueEvent], asked: Set[str]) -> None:
        """Journal what the venue told about the orders that it was asked about, and deal with those it does not have.

        An order that has ended in between, or that the venue has spoken of before, is left alone.
        """
        await self._desk.hear(events)
        named = {event.client_order_id for event in events}
        for order in self._desk.ledger.open_orders():
            if order.client_order_id not in asked - named:
                continue
            if any(kind in _PRESENT for kind, _ in order.seen):
                _log.error("the venue has told of %s before and does not know it now", order.client_order_id)
            else:
                await self._absent(order)

    async def _absent(self, order: OrderState) -> None:
        """Deal with an order that the venue definitely does not have."""
        now_ns = self._desk.now_ns()
        if order.status is OrderStatus.PENDING and now_ns <= self._desk.ledger.approval_expiry_ns(order):
            await self._desk.send(order)
            return
        draft = Draft(self._desk.ledger)
        draft.occur(order.client_order_id, Occurrence(
            ReportKind.REJECTED, self._desk.sending_time_ns(), message="the venue does not have this order"))
        await self._desk.commit(draft)

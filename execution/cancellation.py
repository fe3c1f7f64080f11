"""Cancels: they need no approval, are journalled before they are sent, and asking twice sends once."""

from execution.desk import Desk
from execution.domain import OrderState
from execution.ledger import Draft
from execution.state_machine import Occurrence
from sluice.orders import OrderStatus, ReportKind


class Cancellation:
    """Carries out CancelOrder and CancelAll. Its methods run inside `Desk.exclusively`."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def cancel(self, client_order_id: str, reason: str) -> OrderState:
        """Ask the venue for a cancel and return the order's state after the answer.

        An order that is final, or whose cancel is under way, is answered as it stands. Raises `NotFoundError`.
        """
        order = self._desk.ledger.require(client_order_id)
        if order.status.final or order.status is OrderStatus.CANCEL_PENDING:
            return order
        self._desk.require_time()
        sent_at_ns = self._desk.sending_time_ns()
        draft = Draft(self._desk.ledger)
        draft.occur(client_order_id, Occurrence(ReportKind.CANCEL_REQUESTED, sent_at_ns, message=reason))
        await self._desk.commit(draft)
        instrument = order.request.instrument
        await self._desk.ask(
            client_order_id, lambda: self._desk.venue.cancel(client_order_id, instrument, sent_at_ns))
        return self._desk.ledger.require(client_order_id)

    async def cancel_all(self, instrument: str, reason: str) -> list[OrderState]:
        """Cancel every order that is not final, the oldest first; of one instrument where it is given."""
        orders = self._desk.ledger.open_orders(instrument)
        return [await self.cancel(order.client_order_id, reason) for order in orders]

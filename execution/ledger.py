"""Execution's memory: every order, which decisions and nonces are used, and the numbering of reports.

Pure. A change is worked out as a `Draft` against the ledger, journalled by the caller, and taken over by `commit` only
then, so that memory never knows more than the journal. One writer at a time is the caller's business.
"""

import bisect
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TypeAlias

from execution.domain import ExecutionReport, OrderRequest, OrderState
from execution.state_machine import Occurrence, mark_sent, new_order, occur
from sluice.decimals import ZERO
from sluice.errors import InputError, InvariantError, NotFoundError
from sluice.orders import OrderStatus, ReportKind, Side

#: Instrument, trade id and side: a trade between two of our own orders has one id and is a fill of both.
TradeKey: TypeAlias = tuple[str, str, Side | None]


class ReportTimes:
    """Answers which report is the last one not after an event time, although times need not grow with sequences."""

    def __init__(self) -> None:
        self._times: list[int] = []
        self._sequences: list[int] = []

    def add(self, event_time_ns: int, sequence: int) -> None:
        """Take in a report; sequences must come in order."""
        # An earlier report that is not earlier in time can no longer be the last one of any time.
        while self._times and self._times[-1] >= event_time_ns:
            self._times.pop()
            self._sequences.pop()
        self._times.append(event_time_ns)
        self._sequences.append(sequence)

    def last_until(self, event_time_ns: int) -> int:
        """Return the largest sequence with an event time not after this one; 0 where there is none."""
        place = bisect.bisect_right(self._times, event_time_ns)
        return self._sequences[place - 1] if place else 0


@dataclass(frozen=True, slots=True)
class NewOrder:
    """What is journalled with an order's first state: the signed bytes that it was made from, and its nonce."""

    decision_id: str
    nonce: bytes
    order_bytes: bytes
    approval_expires_at_ns: int


@dataclass(frozen=True, slots=True)
class JournalledOrder:
    """An order as it was journalled; its state comes from the reports."""

    request: OrderRequest
    new: NewOrder
    venue_order_id: str
    sent: bool


class Ledger:
    """The committed state of every order."""

    def __init__(self) -> None:
        self.last_sequence = 0
        self._orders: dict[str, OrderState] = {}
        self._open: dict[str, OrderState] = {}
        self._by_decision: dict[str, str] = {}
        self._expiries_ns: dict[str, int] = {}
        self._nonces: set[bytes] = set()
        self._not_sent: set[str] = set()
        self._trades: dict[TradeKey, str] = {}
        self._positions: dict[str, Decimal] = {}
        self._times = ReportTimes()

    def find(self, client_order_id: str) -> OrderState | None:
        """Return an order, or None."""
        return self._orders.get(client_order_id)

    def require(self, client_order_id: str) -> OrderState:
        """Return an order. Raises `NotFoundError`."""
        if (found := self._orders.get(client_order_id)) is None:
            raise NotFoundError(f"client_order_id must name an order, was {client_order_id[:64]!r}")
        return found

    def of_decision(self, decision_id: str) -> OrderState | None:
        """Return the order of a decision, or None."""
        return self._orders.get(self._by_decision.get(decision_id, ""))

    def orders(self) -> Iterator[OrderState]:
        """Go through every order, the oldest first."""
        return iter(self._orders.values())

    def open_orders(self, instrument: str = "") -> list[OrderState]:
        """Return the orders that are not final, the oldest first; of one instrument where it is given."""
        return [order for order in self._open.values() if instrument in ("", order.request.instrument.key)]

    def nonce_used(self, nonce: bytes) -> bool:
        """Tell whether an order was made with this nonce."""
        return nonce in self._nonces

    def approval_expiry_ns(self, order: OrderState) -> int:
        """Return until when an order's approval could be used."""
        return self._expiries_ns[order.client_order_id]

    def never_sent(self, decision_id: str) -> bool:
        """Tell whether it was reported that nothing will be sent for a decision."""
        return decision_id in self._not_sent

    def owner_of_trade(self, trade: TradeKey) -> str | None:
        """Return the client order id whose fill this side of a trade is, or None."""
        return self._trades.get(trade)

    def sequence_until(self, event_time_ns: int) -> int:
        """Return the last report with an event time not after this one; 0 where there is none."""
        return self._times.last_until(event_time_ns)

    def commit(self, draft: "Draft") -> None:
        """Take over a draft that has been journalled. Raises `InvariantError` where it is not the next one."""
        if draft.reports and draft.reports[0].sequence != self.last_sequence + 1:
            raise InvariantError(f"the next report must be {self.last_sequence + 1}, was {draft.reports[0].sequence}")
        for client_order_id, new in draft.created.items():
            self._index(client_order_id, new)
        for state in draft.orders.values():
            self._put(state)
        for report in draft.reports:
            self._count(report)

    def restore(self, orders: Iterable["JournalledOrder"], reports: Iterable[ExecutionReport]) -> None:
        """Rebuild from the journal by applying every report again. Raises `InvariantError` where they do not agree."""
        rows = {order.request.client_order_id: order for order in orders}
        for client_order_id, row in rows.items():
            self._index(client_order_id, row.new)
        for report in reports:
            if report.kind is not ReportKind.NOT_SENT:
                self._put(self._replayed(report, rows[report.client_order_id]))
            self._count(report)

    def _replayed(self, report: ExecutionReport, row: "JournalledOrder") -> OrderState:
        if report.kind is ReportKind.SUBMITTED:
            state = replace(new_order(row.request, row.new.decision_id, report.event_time_ns),
                            venue_order_id=row.venue_order_id)
            return replace(mark_sent(state) if row.sent else state, report_sequence=report.sequence)
        fact = Occurrence(report.kind, report.event_time_ns, report.fill, message=report.message)
        after = occur(self._orders[report.client_order_id], fact)
        if after is None or after.status is not report.status:
            raise InvariantError(f"report {report.sequence} must lead to {report.status}, was {after and after.status}")
        return replace(after, report_sequence=report.sequence)

    def positions(self) -> dict[str, Decimal]:
        """Return the sum of all fills by instrument key, sold ones negative; none that is 0."""
        return {key: quantity for key, quantity in self._positions.items() if quantity}

    def _put(self, state: OrderState) -> None:
        self._move(self._orders.get(state.client_order_id), state)
        self._orders[state.client_order_id] = state
        if state.status.final:
            self._open.pop(state.client_order_id, None)
        else:
            self._open[state.client_order_id] = state

    def _move(self, before: OrderState | None, after: OrderState) -> None:
        if not after.fills or (before is not None and before.fills is after.fills):
            return
        added = after.traded_quantity - (before.traded_quantity if before is not None else ZERO)
        key = after.request.instrument.key
        self._positions[key] = self._positions.get(key, ZERO) + after.request.side.sign * added

    def _index(self, client_order_id: str, new: NewOrder) -> None:
        self._by_decision[new.decision_id] = client_order_id
        self._nonces.add(new.nonce)
        self._expiries_ns[client_order_id] = new.approval_expires_at_ns

    def _count(self, report: ExecutionReport) -> None:
        self.last_sequence = report.sequence
        self._times.add(report.event_time_ns, report.sequence)
        if report.fill is not None:
            self._trades[report.instrument, report.fill.trade_id, report.side] = report.client_order_id
        if report.kind is ReportKind.NOT_SENT:
            self._not_sent.add(report.decision_id)


class Draft:
    """Changes that are not journalled yet: the orders as they will be, and the reports that say so."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.created: dict[str, NewOrder] = {}
        self.orders: dict[str, OrderState] = {}
        self.reports: list[ExecutionReport] = []
        self._trades: dict[TradeKey, str] = {}

    def __bool__(self) -> bool:
        return bool(self.orders or self.reports)

    def submit(self, request: OrderRequest, new: NewOrder, event_time_ns: int) -> None:
        """Open an order: SUBMITTED."""
        state = new_order(request, new.decision_id, event_time_ns)
        self.created[state.client_order_id] = new
        self._report(state, Occurrence(ReportKind.SUBMITTED, event_time_ns))

    def sent(self, client_order_id: str) -> None:
        """Note that an order is on its way; there is no report of it."""
        state = self._state(client_order_id)
        if state.status is OrderStatus.PENDING:
            self.orders[client_order_id] = mark_sent(state)

    def occur(self, client_order_id: str, occurrence: Occurrence) -> bool:
        """Apply a fact; tell whether it was new. Raises `NotFoundError`, and `InputError` for an impossible one."""
        state = self._state(client_order_id)
        if occurrence.fill is not None and self._owner(state, occurrence.fill.trade_id) not in (None, client_order_id):
            raise InputError(f"trade id {occurrence.fill.trade_id} of {state.request.instrument.key} must belong to "
                             f"one order of a side, was given for {client_order_id} too")
        after = occur(state, occurrence)
        if after is None:
            return False
        self._report(after, occurrence)
        return True

    def not_sent(self, decision_id: str, instrument: str, side: Side | None, message: str, event_time_ns: int) -> None:
        """Say once that nothing was or will be sent for a decision."""
        if self._ledger.never_sent(decision_id):
            return
        self.reports.append(ExecutionReport(
            self._next(), event_time_ns, ReportKind.NOT_SENT, decision_id, "", instrument, side, None, ZERO, ZERO,
            message=message))

    def _state(self, client_order_id: str) -> OrderState:
        return self.orders.get(client_order_id) or self._ledger.require(client_order_id)

    def _owner(self, state: OrderState, trade_id: str) -> str | None:
        trade = (state.request.instrument.key, trade_id, state.request.side)
        return self._trades.get(trade) or self._ledger.owner_of_trade(trade)

    def _next(self) -> int:
        return self._ledger.last_sequence + len(self.reports) + 1

    def _report(self, state: OrderState, occurrence: Occurrence) -> None:
        sequence, request = self._next(), state.request
        self.orders[state.client_order_id] = replace(state, report_sequence=sequence)
        if occurrence.fill is not None:
            self._trades[request.instrument.key, occurrence.fill.trade_id, request.side] = state.client_order_id
        self.reports.append(ExecutionReport(
            sequence, occurrence.event_time_ns, occurrence.kind, state.decision_id, state.client_order_id,
            request.instrument.key, request.side, state.status, request.quantity, state.filled_quantity,
            occurrence.fill, occurrence.message, request.reduce_only))

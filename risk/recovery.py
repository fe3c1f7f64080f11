"""Rebuilds the engine from the journal: what was in force, every reservation ever made, and the order rate.

Reservations are laid open as they were approved; execution's reports, played again from the first one, then close and
move them. Both can come in any order without changing the end, because each report speaks of one decision.
"""

from collections.abc import Iterable

from risk import wire
from risk.engine import RiskEngine
from risk.records import DecisionRecord, ServiceState
from risk.reservations import Reservation
from sluice.errors import InvariantError
from sluice.instruments import InstrumentCatalog
from sluice.risk.v1.order_pb2 import Order


def restore_state(engine: RiskEngine, state: ServiceState) -> None:
    """Put back the market, the drawdown marks and latches, and the operator's state."""
    engine.market, engine.guard, engine.operator_state = state.market, state.guard, state.operator_state


def restore_decisions(engine: RiskEngine, records: Iterable[DecisionRecord], catalog: InstrumentCatalog) -> None:
    """Put back the reservation and the rate count of every approval."""
    for record in records:
        if record.approved:
            engine.restore(reservation_of(record, catalog), record.event_time_ns)


def reservation_of(record: DecisionRecord, catalog: InstrumentCatalog) -> Reservation:
    """Return the reservation that an approval was made with.

    Raises `NotFoundError` for an instrument since removed, and `InvariantError` for an order that was never approvable.
    """
    order = wire.read_order(Order.FromString(record.order_bytes))
    if order.side is None:
        raise InvariantError(f"the approved order of {record.decision_id} must have a side, has none")
    return Reservation(
        decision_id=record.decision_id,
        instrument=catalog.require(order.instrument),
        side=order.side,
        quantity=record.reserved_quantity,
        worst_price=record.worst_price,
        reducing=order.reducing,
        expires_at_ns=record.expires_at_ns,
    )

"""What a run in memory has journalled, in the rows that the report reads: as if it had come from PostgreSQL."""

from collections.abc import Iterator

from backtest.report.journal import DecisionRow, OrderRow, RunJournal, decision_row, fill_rows, order_row
from backtest.system.rooms import ExecutionRoom, Rooms
from backtest.system.stores import MemoryDecisions


def journal_of(rooms: Rooms) -> RunJournal:
    """Return everything of a run: decisions by sequence, the rest by event time."""
    orders = sorted(_orders(rooms.execution), key=lambda row: (row.created_at_ns, row.client_order_id))
    equity = sorted(rooms.decisions.equity, key=lambda row: (row.event_time_ns, row.asset))
    return RunJournal(
        tuple(_decisions(rooms.decisions)), tuple(orders), fill_rows(rooms.execution.journal.fills), tuple(equity))


def _decisions(journal: MemoryDecisions) -> Iterator[DecisionRow]:
    for record in journal.records():
        yield decision_row(
            record.decision_id, record.intent, record.approved, record.order_bytes, record.reasons,
            record.event_time_ns)


def _orders(room: ExecutionRoom) -> Iterator[OrderRow]:
    for state in room.desk.ledger.orders():
        yield order_row(
            state.client_order_id, state.decision_id, state.request.instrument.key,
            room.journal.order_bytes[state.client_order_id], state.status.name, state.filled_quantity,
            state.average_price, state.fees, state.fee_asset, state.venue_order_id, state.created_at_ns,
            state.updated_at_ns, state.message)

"""The journal in PostgreSQL: what happened to orders, written before anything follows from it.

One process writes it at a time; an advisory lock holds that. A write is one transaction: all of a draft or nothing.
The time that event time has come to is kept too, without waiting for the disk: it survives the death of this process,
and after a power cut it is an earlier time, which the next AdvanceTo mends.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Self

import psycopg
from psycopg.rows import TupleRow

from execution.codec import read_order, read_report, write_report
from execution.domain import ExecutionReport, OrderState
from execution.ledger import Draft, JournalledOrder, Ledger, NewOrder
from sluice.envelope import Refusal
from sluice.errors import NotRunningError, SluiceError
from sluice.execution.v1 import execution_pb2 as messages
from sluice.instruments import InstrumentCatalog
from sluice.orders import OrderStatus
from sluice.risk.v1.order_pb2 import Order
from sluice.stores.postgres import connect

PAGE = 1_000
_LOCK_WAIT_S = 15.0
_ADD_ORDER = """
INSERT INTO orders (nonce, order_bytes, approval_expires_at_ns, client_order_id, decision_id, instrument, created_at_ns,
    status, filled_quantity, average_price, fees, fee_asset, venue_order_id, updated_at_ns, report_sequence, message)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"""
_CHANGE_ORDER = """
UPDATE orders SET status = %s, filled_quantity = %s, average_price = %s, fees = %s, fee_asset = %s, venue_order_id = %s,
    updated_at_ns = %s, report_sequence = %s, message = %s WHERE client_order_id = %s"""
_ADD_REPORT = """
INSERT INTO reports (sequence, event_time_ns, kind, client_order_id, decision_id, instrument, trade_id, side, report)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)"""
_ORDERS = """
SELECT client_order_id, decision_id, nonce, order_bytes, approval_expires_at_ns, venue_order_id, status
FROM orders ORDER BY created_at_ns, report_sequence"""
_USED_BY = {"orders_nonce_key": Refusal.REPLAYED}


class AlreadyUsedError(SluiceError):
    """Another order has this nonce, decision or client order id already: nothing was written."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(f"an order must be the first of its approval, was {refusal.name}")
        self.refusal = refusal


@dataclass(frozen=True, slots=True)
class Opened:
    """What the journal says about itself when it is opened."""

    journal_id: str
    event_time_ns: int


class Journal:
    """One writer's access to the journal of a schema. Open it with `open`."""

    def __init__(self, connections: Sequence[psycopg.AsyncConnection[TupleRow]]) -> None:
        self._orders, self._reader, self._clock = connections

    @classmethod
    async def open(cls, url: str, schema: str) -> Self:
        """Connect and become the only writer. Raises `NotRunningError` where another process is that."""
        journal = cls([await connect(url, schema) for _ in range(3)])
        try:
            await _become_only_writer(journal._orders, schema)
            await journal._clock.execute("SELECT set_config('synchronous_commit', 'off', false)")
        except BaseException:
            await journal.close()
            raise
        return journal

    async def close(self) -> None:
        """Close the connections, and give up being the writer."""
        for connection in (self._orders, self._reader, self._clock):
            await connection.close()

    async def head(self) -> Opened:
        """Return which journal this is and how far event time had come."""
        cursor = await self._reader.execute("SELECT journal_id::text, event_time_ns FROM journal")
        row = await cursor.fetchone()
        assert row is not None, "the migration puts one row into journal"
        return Opened(row[0], row[1])

    async def restore(self, ledger: Ledger, catalog: InstrumentCatalog) -> list[ExecutionReport]:
        """Fill an empty ledger with everything that is journalled; return the reports in order."""
        rows = await (await self._reader.execute(_ORDERS)).fetchall()
        orders = [_journalled(row, catalog) for row in rows]
        reports = [read_report(messages.ExecutionReport.FromString(raw)) async for raw in self._all_reports()]
        ledger.restore(orders, reports)
        return reports

    async def write(self, draft: Draft) -> None:
        """Write a draft, all of it or nothing, and return when it is on disk.

        Raises `AlreadyUsedError` where a new order's nonce or decision has an order, and `psycopg.Error`.
        """
        changed = [state for key, state in draft.orders.items() if key not in draft.created]
        try:
            async with self._orders.pipeline(), self._orders.transaction():
                for key, new in draft.created.items():
                    await self._orders.execute(_ADD_ORDER, _new_row(new, draft.orders[key]))
                for state in changed:
                    await self._orders.execute(_CHANGE_ORDER, (*_state_row(state), state.client_order_id))
                for report in draft.reports:
                    await self._orders.execute(_ADD_REPORT, _report_row(report))
        except psycopg.errors.UniqueViolation as error:
            if not draft.created or not (error.diag.constraint_name or "").startswith("orders_"):
                raise
            refusal = _USED_BY.get(error.diag.constraint_name or "", Refusal.DUPLICATE_ORDER)
            raise AlreadyUsedError(refusal) from None

    async def write_time(self, event_time_ns: int) -> None:
        """Note how far event time has come."""
        await self._clock.execute("UPDATE journal SET event_time_ns = %s", (event_time_ns,))

    async def reports(self, first: int, last: int) -> list[bytes]:
        """Return the serialised reports of at most `PAGE` sequences from `first` to `last`, both included."""
        cursor = await self._reader.execute(
            "SELECT report FROM reports WHERE sequence BETWEEN %s AND %s ORDER BY sequence LIMIT %s",
            (first, last, PAGE))
        return [row[0] for row in await cursor.fetchall()]

    async def _all_reports(self) -> AsyncIterator[bytes]:
        first = 1
        while page := await self.reports(first, 2**62):
            for raw in page:
                yield raw
            first += len(page)


async def _become_only_writer(connection: psycopg.AsyncConnection[TupleRow], schema: str) -> None:
    # The lock of a killed process goes with its connection, which the server notices a moment later.
    deadline = asyncio.get_running_loop().time() + _LOCK_WAIT_S
    while True:
        cursor = await connection.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", (f"writer {schema}",))
        row = await cursor.fetchone()
        if row is not None and row[0]:
            return
        if asyncio.get_running_loop().time() > deadline:
            raise NotRunningError(f"execution must be the only writer of {schema}, and another process is writing it",
                                  fix="stop the other one, or choose another run.namespace")
        await asyncio.sleep(0.1)


def _journalled(row: TupleRow, catalog: InstrumentCatalog) -> JournalledOrder:
    client_order_id, decision_id, nonce, order_bytes, expires_at_ns, venue_order_id, status = row
    request = read_order(Order.FromString(order_bytes), client_order_id, catalog)
    new = NewOrder(decision_id, bytes(nonce), bytes(order_bytes), expires_at_ns)
    return JournalledOrder(request, new, venue_order_id, sent=status == OrderStatus.SENT.name)


def _new_row(new: NewOrder, state: OrderState) -> tuple[object, ...]:
    return (new.nonce, new.order_bytes, new.approval_expires_at_ns, state.client_order_id, state.decision_id,
            state.request.instrument.key, state.created_at_ns, *_state_row(state))


def _state_row(state: OrderState) -> tuple[object, ...]:
    return (state.status.name, state.filled_quantity, state.average_price, state.fees, state.fee_asset,
            state.venue_order_id, state.updated_at_ns, state.report_sequence, state.message)


def _report_row(report: ExecutionReport) -> tuple[object, ...]:
    return (report.sequence, report.event_time_ns, report.kind.name, report.client_order_id, report.decision_id,
            report.instrument, report.fill.trade_id if report.fill else None, report.side.name if report.side else None,
            write_report(report).SerializeToString(deterministic=True))

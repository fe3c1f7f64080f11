"""What a run left in PostgreSQL: decisions, orders, fills and equity, read once and kept as plain values."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from google.protobuf.json_format import MessageToDict

from sluice.config import Settings
from sluice.execution.v1.execution_pb2 import ExecutionReport
from sluice.risk.v1.order_pb2 import Order, Side
from sluice.risk.v1.risk_pb2 import OrderIntent, ReasonCode, Veto
from sluice.stores.postgres import connect_sync, schema_of

_DECISIONS = """
SELECT decision_id, intent, approved, order_bytes, reasons, event_time_ns FROM decisions ORDER BY sequence"""
_ORDERS = """
SELECT client_order_id, decision_id, instrument, order_bytes, status, filled_quantity, average_price, fees, fee_asset,
    venue_order_id, created_at_ns, updated_at_ns, message FROM orders ORDER BY created_at_ns, client_order_id"""
_FILLS = "SELECT report FROM reports WHERE kind = 'FILL' ORDER BY sequence"
_EQUITY = """
SELECT event_time_ns, asset, balance, unrealised_pnl, equity FROM equity ORDER BY event_time_ns, asset"""


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """A decision of risk. `intent` and `order` are the contract's messages as dictionaries, `order` {} for a veto."""

    decision_id: str
    intent: dict[str, Any]
    approved: bool
    order: dict[str, Any]
    reasons: tuple[dict[str, Any], ...]
    event_time_ns: int

    @property
    def codes(self) -> tuple[str, ...]:
        """Return the names of the reasons, e.g. `STALE_DATA`."""
        return tuple(str(reason["code"]).removeprefix("REASON_CODE_") for reason in self.reasons)


@dataclass(frozen=True, slots=True)
class OrderRow:
    """An order as execution last knew it. `average_price` is None before the first fill."""

    client_order_id: str
    decision_id: str
    instrument: str
    order: dict[str, Any]
    status: str
    filled_quantity: Decimal
    average_price: Decimal | None
    fees: Decimal
    fee_asset: str
    venue_order_id: str
    created_at_ns: int
    updated_at_ns: int
    message: str


@dataclass(frozen=True, slots=True)
class FillRow:
    """A trade of ours. `quantity` is positive; `buy` tells the side."""

    event_time_ns: int
    instrument: str
    client_order_id: str
    decision_id: str
    trade_id: str
    buy: bool
    quantity: Decimal
    price: Decimal
    fee: Decimal
    fee_asset: str
    maker: bool

    @property
    def signed_quantity(self) -> Decimal:
        """Return the quantity, negative for a sale."""
        return self.quantity if self.buy else -self.quantity


@dataclass(frozen=True, slots=True)
class EquityRow:
    """The account in one settlement asset as of one tick."""

    event_time_ns: int
    asset: str
    balance: Decimal
    unrealised_pnl: Decimal
    equity: Decimal


@dataclass(frozen=True, slots=True)
class RunJournal:
    """Everything of a run that was journalled: decisions by sequence, the rest by event time."""

    decisions: tuple[DecisionRow, ...] = ()
    orders: tuple[OrderRow, ...] = ()
    fills: tuple[FillRow, ...] = ()
    equity: tuple[EquityRow, ...] = ()


def read_journal(settings: Settings) -> RunJournal:
    """Read the journals of the configured namespace. Raises `NotRunningError` where PostgreSQL does not answer."""
    url, namespace = settings.stores.postgres_url.get_secret_value(), settings.run.namespace
    with connect_sync(url, schema_of(namespace, "risk")) as risk:
        decisions = tuple(decision_row(*row) for row in risk.execute(_DECISIONS))
        equity = tuple(EquityRow(*row) for row in risk.execute(_EQUITY))
    with connect_sync(url, schema_of(namespace, "execution")) as execution:
        orders = tuple(order_row(*row) for row in execution.execute(_ORDERS))
        fills = fill_rows(bytes(raw) for (raw,) in execution.execute(_FILLS))
    return RunJournal(decisions, orders, fills, equity)


def decision_row(
    decision_id: str, intent: bytes, approved: bool, order: bytes, reasons: bytes, event_time_ns: int
) -> DecisionRow:
    """Return the row of a decision as it was journalled: `intent`, `order` and `reasons` are the contract's bytes."""
    found = Veto.FromString(bytes(reasons)).reasons if reasons else ()
    return DecisionRow(
        decision_id, as_dict(OrderIntent.FromString(bytes(intent))), approved,
        as_dict(Order.FromString(bytes(order))) if order and approved else {},
        tuple({**as_dict(reason), "code": ReasonCode.Name(reason.code)} for reason in found), event_time_ns)


def order_row(client_order_id: str, decision_id: str, instrument: str, order: bytes, *rest: Any) -> OrderRow:
    """Return the row of an order as it was journalled: `order` are the bytes that were signed."""
    return OrderRow(client_order_id, decision_id, instrument, as_dict(Order.FromString(bytes(order))), *rest)


def fill_rows(reports: Iterable[bytes]) -> tuple[FillRow, ...]:
    """Return the fills of serialised reports in an order that does not depend on how they came.

    That is by time, instrument and trade id.
    """
    rows = [_fill(ExecutionReport.FromString(report)) for report in reports]
    return tuple(sorted(rows, key=lambda r: (r.event_time_ns, r.instrument, len(r.trade_id), r.trade_id)))


def _fill(report: ExecutionReport) -> FillRow:
    fill = report.fill
    return FillRow(
        report.event_time_ns, report.instrument, report.client_order_id, report.decision_id, fill.trade_id,
        report.side == Side.SIDE_BUY, Decimal(fill.quantity), Decimal(fill.price), Decimal(fill.fee), fill.fee_asset,
        fill.maker)


def as_dict(message: Any) -> dict[str, Any]:
    """Return a message as a dictionary: the contract's field names, and only the fields that are set."""
    found: dict[str, Any] = MessageToDict(message, preserving_proto_field_name=True)
    return found

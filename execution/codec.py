"""Between the contract's messages and the domain: orders in, states and reports out and back.

The only file of this room, besides the gRPC shell, that knows protobuf. Reading an order is strict: what is not
understood to the letter raises, and is never sent.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import TypeVar

from google.protobuf.unknown_fields import UnknownFieldSet

from execution.domain import ExecutionReport, Fill, OrderRequest, OrderState
from sluice.decimals import parse_decimal, text, text_or_empty
from sluice.errors import InputError
from sluice.execution.v1 import execution_pb2 as messages
from sluice.instruments import InstrumentCatalog
from sluice.orders import (
    Member,
    OrderStatus,
    OrderType,
    PositionSide,
    PriceMatch,
    ReportKind,
    SelfTradePrevention,
    Side,
    TimeInForce,
    TriggerPrice,
    member_of,
    number_of,
)
from sluice.risk.v1 import order_pb2
from sluice.risk.v1.order_pb2 import Order


def read_order(order: Order, client_order_id: str, catalog: InstrumentCatalog) -> OrderRequest:
    """Return the order as a venue gets it.

    Raises `InputError` for an unspecified or unknown enum, a number that is no plain decimal, or an instrument that is
    not in the catalogue.
    """
    if (instrument := catalog.get(order.instrument)) is None:
        raise InputError(f"instrument must be a catalogued one, was {order.instrument[:64]!r}")
    if len(UnknownFieldSet(order)):
        raise InputError("an order must have the contract's fields only, had unknown ones")
    return OrderRequest(
        client_order_id=client_order_id,
        instrument=instrument,
        side=_member(Side, order.side, "side"),
        type=_member(OrderType, order.type, "type"),
        time_in_force=_member(TimeInForce, order.time_in_force, "time_in_force"),
        quantity=parse_decimal(order.quantity, "quantity"),
        price=_decimal(order.price, "price"),
        reduce_only=order.reduce_only,
        position_side=_member(PositionSide, order.position_side, "position_side"),
        stop_price=_decimal(order.stop_price, "stop_price"),
        trigger_price=_member(TriggerPrice, order.trigger_price, "trigger_price") if order.trigger_price else None,
        callback_rate_percent=_decimal(order.callback_rate_percent, "callback_rate_percent"),
        activation_price=_decimal(order.activation_price, "activation_price"),
        close_position=order.close_position,
        good_till_time_ns=order.good_till_time_ns,
        self_trade_prevention=_member(SelfTradePrevention, order.self_trade_prevention, "self_trade_prevention"),
        price_match=_member(PriceMatch, order.price_match, "price_match"),
        price_protect=order.price_protect,
    )


def write_order(request: OrderRequest) -> Order:
    """Return the contract's order of a request."""
    return Order(
        instrument=request.instrument.key,
        side=order_pb2.Side.ValueType(request.side.value),
        position_side=order_pb2.PositionSide.ValueType(request.position_side.value),
        type=order_pb2.OrderType.ValueType(request.type.value),
        time_in_force=order_pb2.TimeInForce.ValueType(request.time_in_force.value),
        quantity=text(request.quantity),
        price=text_or_empty(request.price),
        stop_price=text_or_empty(request.stop_price),
        trigger_price=order_pb2.TriggerPrice.ValueType(number_of(request.trigger_price)),
        callback_rate_percent=text_or_empty(request.callback_rate_percent),
        activation_price=text_or_empty(request.activation_price),
        reduce_only=request.reduce_only,
        close_position=request.close_position,
        good_till_time_ns=request.good_till_time_ns,
        self_trade_prevention=order_pb2.SelfTradePrevention.ValueType(request.self_trade_prevention.value),
        price_match=order_pb2.PriceMatch.ValueType(request.price_match.value),
        price_protect=request.price_protect,
    )


def write_state(state: OrderState) -> messages.OrderState:
    """Return the contract's message of an order's state."""
    return messages.OrderState(
        client_order_id=state.client_order_id,
        decision_id=state.decision_id,
        venue_order_id=state.venue_order_id,
        order=write_order(state.request),
        status=messages.OrderStatus.ValueType(state.status.value),
        filled_quantity=text(state.filled_quantity),
        average_price=text_or_empty(state.average_price),
        fees=text(state.fees),
        fee_asset=state.fee_asset,
        created_at_ns=state.created_at_ns,
        updated_at_ns=state.updated_at_ns,
        report_sequence=state.report_sequence,
        message=state.message,
    )


def write_report(report: ExecutionReport) -> messages.ExecutionReport:
    """Return the contract's message of a report."""
    return messages.ExecutionReport(
        sequence=report.sequence,
        event_time_ns=report.event_time_ns,
        kind=messages.ReportKind.ValueType(report.kind.value),
        client_order_id=report.client_order_id,
        decision_id=report.decision_id,
        instrument=report.instrument,
        side=order_pb2.Side.ValueType(number_of(report.side)),
        status=messages.OrderStatus.ValueType(number_of(report.status)),
        quantity=text(report.quantity),
        filled_quantity=text(report.filled_quantity),
        fill=_optional(report.fill, write_fill),
        message=report.message,
        reduce_only=report.reduce_only,
    )


def write_fill(fill: Fill) -> messages.Fill:
    """Return the contract's message of a fill."""
    return messages.Fill(trade_id=fill.trade_id, quantity=text(fill.quantity), price=text(fill.price),
                         fee=text(fill.fee), fee_asset=fill.fee_asset, maker=fill.maker)


def read_report(message: messages.ExecutionReport) -> ExecutionReport:
    """Return the report of a message, such as the journal keeps. Raises `InputError` or `ValueError`."""
    return ExecutionReport(
        sequence=message.sequence,
        event_time_ns=message.event_time_ns,
        kind=ReportKind(message.kind),
        decision_id=message.decision_id,
        client_order_id=message.client_order_id,
        instrument=message.instrument,
        side=Side(message.side) if message.side else None,
        status=OrderStatus(message.status) if message.status else None,
        quantity=parse_decimal(message.quantity, "quantity"),
        filled_quantity=parse_decimal(message.filled_quantity, "filled_quantity"),
        fill=read_fill(message.fill) if message.HasField("fill") else None,
        message=message.message,
        reduce_only=message.reduce_only,
    )


def read_fill(message: messages.Fill) -> Fill:
    """Return the fill of a message. Raises `InputError`."""
    return Fill(message.trade_id, parse_decimal(message.quantity, "quantity"), parse_decimal(message.price, "price"),
                parse_decimal(message.fee, "fee"), message.fee_asset, message.maker)


def _member(kind: type[Member], number: int, what: str) -> Member:
    if (member := member_of(kind, number)) is None:
        known = ", ".join(kind.__members__)
        raise InputError(f"{what} must be one of {known}, was {number or 'unspecified'}")
    return member


def _decimal(raw: str, what: str) -> Decimal | None:
    return parse_decimal(raw, what) if raw else None


Given = TypeVar("Given")
Written = TypeVar("Written")


def _optional(value: Given | None, write: Callable[[Given], Written]) -> Written | None:
    return None if value is None else write(value)

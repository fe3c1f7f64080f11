"""Between the contract's messages and risk's domain values: the only place where both are known.

Reading never fails: what cannot be read becomes None or UNSPECIFIED and a problem of the intent, which is a veto. The
bytes that are signed are written anew from the domain order, so they hold nothing that risk has not looked at.
"""

from collections.abc import Iterable
from decimal import Decimal
from enum import Enum
from typing import Final, TypeVar

from risk.domain import (
    AlgorithmKind,
    BookTop,
    ExecutionReport,
    Fill,
    Order,
    OrderIntent,
    OrderType,
    PositionSide,
    PriceMatch,
    Reason,
    ReportKind,
    SelfTradePrevention,
    Side,
    TimeInForce,
    TriggerPrice,
)
from sluice.decimals import ZERO, parse_decimal, text
from sluice.errors import InputError
from sluice.execution.v1 import execution_pb2 as execution
from sluice.market.v1 import market_pb2 as market
from sluice.risk.v1 import order_pb2 as orders
from sluice.risk.v1 import risk_pb2 as risk

EnumType = TypeVar("EnumType", bound=Enum)
#: Larger numbers are no price or quantity of any market, and would leave exact arithmetic.
LARGEST: Final = Decimal(10) ** 12
_FINAL: Final = frozenset({
    execution.ORDER_STATUS_FILLED, execution.ORDER_STATUS_CANCELED, execution.ORDER_STATUS_REJECTED,
    execution.ORDER_STATUS_EXPIRED,
})


def read_intent(message: risk.OrderIntent) -> OrderIntent:
    """Read an intent; everything unreadable in it is named in `problems`."""
    problems: list[str] = []
    order = _read_order(message.order, problems)
    return OrderIntent(
        intent_id=message.intent_id,
        strategy=message.strategy,
        order=order,
        event_time_ns=message.event_time_ns,
        average_true_range=_decimal(message.average_true_range, "average_true_range", problems),
        model_version=message.model_version,
        action=message.action,
        problems=tuple(problems),
    )


def read_order(message: orders.Order) -> Order:
    """Read an order that was journalled as approved. Raises `InputError` where it is unreadable after all."""
    problems: list[str] = []
    order = _read_order(message, problems)
    if problems:
        raise InputError("; ".join(problems))
    return order


def _read_order(message: orders.Order, problems: list[str]) -> Order:
    return Order(
        instrument=message.instrument,
        side=_enum(Side, message.side, "side", problems),
        position_side=_enum(PositionSide, message.position_side, "position_side", problems),
        type=_enum(OrderType, message.type, "type", problems),
        time_in_force=_enum(TimeInForce, message.time_in_force, "time_in_force", problems),
        quantity=_decimal(message.quantity, "quantity", problems),
        price=_decimal(message.price, "price", problems),
        stop_price=_decimal(message.stop_price, "stop_price", problems),
        trigger_price=_enum(TriggerPrice, message.trigger_price, "trigger_price", problems),
        callback_rate_percent=_decimal(message.callback_rate_percent, "callback_rate_percent", problems),
        activation_price=_decimal(message.activation_price, "activation_price", problems),
        reduce_only=message.reduce_only,
        close_position=message.close_position,
        good_till_time_ns=message.good_till_time_ns,
        self_trade_prevention=_enum(
            SelfTradePrevention, message.self_trade_prevention, "self_trade_prevention", problems),
        price_match=_enum(PriceMatch, message.price_match, "price_match", problems),
        price_protect=message.price_protect,
        algorithm=_enum(AlgorithmKind, message.algorithm.kind, "algorithm.kind", problems),
    )


def order_message(order: Order) -> orders.Order:
    """Write an order as approved: only what risk has read and decided on."""
    algorithm = order.algorithm is not AlgorithmKind.UNSPECIFIED
    return orders.Order(
        instrument=order.instrument,
        side=orders.Side.ValueType(order.side.value),
        position_side=orders.PositionSide.ValueType(order.position_side.value),
        type=orders.OrderType.ValueType(order.type.value),
        time_in_force=orders.TimeInForce.ValueType(order.time_in_force.value),
        quantity=_text(order.quantity),
        price=_text(order.price),
        stop_price=_text(order.stop_price),
        trigger_price=orders.TriggerPrice.ValueType(order.trigger_price.value),
        callback_rate_percent=_text(order.callback_rate_percent),
        activation_price=_text(order.activation_price),
        reduce_only=order.reduce_only,
        close_position=order.close_position,
        good_till_time_ns=order.good_till_time_ns,
        self_trade_prevention=orders.SelfTradePrevention.ValueType(order.self_trade_prevention.value),
        price_match=orders.PriceMatch.ValueType(order.price_match.value),
        price_protect=order.price_protect,
        algorithm=orders.Algorithm(kind=orders.AlgorithmKind.ValueType(order.algorithm.value)) if algorithm else None,
    )


def read_top(message: market.BookTop) -> BookTop:
    """Read a book top. A price that is missing, unreadable or not positive is None; a crossed book is out of sync."""
    bid, ask, mark = (_price(value) for value in (message.best_bid, message.best_ask, message.mark_price))
    whole = bid is not None and ask is not None and bid < ask
    return BookTop(message.instrument, message.event_time_ns, bid, ask, mark, message.synced and whole)


def top_message(top: BookTop) -> market.BookTop:
    """Write a book top, without the quantities, which risk does not keep."""
    return market.BookTop(
        instrument=top.instrument, event_time_ns=top.event_time_ns, best_bid=_text(top.best_bid),
        best_ask=_text(top.best_ask), mark_price=_text(top.mark_price), synced=top.synced)


def read_report(message: execution.ExecutionReport) -> ExecutionReport:
    """Read an execution report. Raises `InputError` where its numbers do not parse: execution never sends such."""
    kind = _enum(ReportKind, message.kind, "kind", [])
    return ExecutionReport(
        sequence=message.sequence,
        event_time_ns=message.event_time_ns,
        kind=kind,
        decision_id=message.decision_id,
        instrument=message.instrument,
        side=_enum(Side, message.side, "side", []),
        final=message.status in _FINAL,
        fill=_read_fill(message.fill) if kind is ReportKind.FILL else None,
    )


def _read_fill(message: execution.Fill) -> Fill:
    fee = parse_decimal(message.fee, "fee") if message.fee else ZERO
    return Fill(
        parse_decimal(message.quantity, "fill quantity"), parse_decimal(message.price, "fill price"), fee,
        message.fee_asset)


def veto_message(reasons: Iterable[Reason]) -> risk.Veto:
    """Write the reasons of a refusal."""
    return risk.Veto(reasons=[
        risk.VetoReason(
            code=risk.ReasonCode.ValueType(reason.code.value), limit=reason.limit, observed=reason.observed,
            message=reason.message)
        for reason in reasons
    ])


def _enum(kind: type[EnumType], number: int, name: str, problems: list[str]) -> EnumType:
    try:
        return kind(number)
    except ValueError:
        problems.append(f"{name} must be a known {kind.__name__}, was {number}")
        return kind(0)


def _decimal(value: str, name: str, problems: list[str]) -> Decimal | None:
    if not value:
        return None
    try:
        number = parse_decimal(value, name)
    except InputError as error:
        problems.append(error.message)
        return None
    if abs(number) >= LARGEST:
        problems.append(f"{name} must be below {text(LARGEST)}, was {value}")
        return None
    return number


def _price(value: str) -> Decimal | None:
    number = _decimal(value, "price", [])
    return number if number is not None and number > ZERO else None


def _text(value: Decimal | None) -> str:
    return "" if value is None else text(value)

"""Between the contract's messages and risk's domain values: the only place where both are known.

Reading never fails: what cannot be read becomes None and a problem of the intent, which is a veto. An enum that is not
specified becomes None too; whether it may be is for `risk.shape` to say. The bytes that are signed are written anew
from the domain order, so they hold nothing that risk has not looked at.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from risk.domain import BookTop, ExecutionReport, Fill, Order, OrderIntent, Reason
from sluice.decimals import ZERO, parse_decimal, text, text_or_empty
from sluice.errors import InputError
from sluice.execution.v1 import execution_pb2 as execution
from sluice.market.v1 import market_pb2 as market
from sluice.orders import (
    AlgorithmKind,
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
from sluice.risk.v1 import order_pb2 as orders
from sluice.risk.v1 import risk_pb2 as risk

#: Larger numbers are no price or quantity of any market, and would leave exact arithmetic.
LARGEST: Final = Decimal(10) ** 12


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
        side=_member(Side, message.side, "side", problems),
        position_side=_member(PositionSide, message.position_side, "position_side", problems),
        type=_member(OrderType, message.type, "type", problems),
        time_in_force=_member(TimeInForce, message.time_in_force, "time_in_force", problems),
        quantity=_decimal(message.quantity, "quantity", problems),
        price=_decimal(message.price, "price", problems),
        stop_price=_decimal(message.stop_price, "stop_price", problems),
        trigger_price=_member(TriggerPrice, message.trigger_price, "trigger_price", problems),
        callback_rate_percent=_decimal(message.callback_rate_percent, "callback_rate_percent", problems),
        activation_price=_decimal(message.activation_price, "activation_price", problems),
        reduce_only=message.reduce_only,
        close_position=message.close_position,
        good_till_time_ns=message.good_till_time_ns,
        self_trade_prevention=_member(
            SelfTradePrevention, message.self_trade_prevention, "self_trade_prevention", problems),
        price_match=_member(PriceMatch, message.price_match, "price_match", problems),
        price_protect=message.price_protect,
        algorithm=_member(AlgorithmKind, message.algorithm.kind, "algorithm.kind", problems),
    )


def order_message(order: Order) -> orders.Order:
    """Write an order as approved: only what risk has read and decided on."""
    algorithm = orders.Algorithm(kind=orders.AlgorithmKind.ValueType(number_of(order.algorithm)))
    return orders.Order(
        instrument=order.instrument,
        side=orders.Side.ValueType(number_of(order.side)),
        position_side=orders.PositionSide.ValueType(number_of(order.position_side)),
        type=orders.OrderType.ValueType(number_of(order.type)),
        time_in_force=orders.TimeInForce.ValueType(number_of(order.time_in_force)),
        quantity=text_or_empty(order.quantity),
        price=text_or_empty(order.price),
        stop_price=text_or_empty(order.stop_price),
        trigger_price=orders.TriggerPrice.ValueType(number_of(order.trigger_price)),
        callback_rate_percent=text_or_empty(order.callback_rate_percent),
        activation_price=text_or_empty(order.activation_price),
        reduce_only=order.reduce_only,
        close_position=order.close_position,
        good_till_time_ns=order.good_till_time_ns,
        self_trade_prevention=orders.SelfTradePrevention.ValueType(number_of(order.self_trade_prevention)),
        price_match=orders.PriceMatch.ValueType(number_of(order.price_match)),
        price_protect=order.price_protect,
        algorithm=algorithm if order.algorithm else None,
    )


def read_top(message: market.BookTop) -> BookTop:
    """Read a book top. A price that is missing, unreadable or not positive is None; a crossed book is out of sync."""
    bid, ask, mark = (_price(value) for value in (message.best_bid, message.best_ask, message.mark_price))
    whole = bid is not None and ask is not None and bid < ask
    return BookTop(message.instrument, message.event_time_ns, bid, ask, mark, message.synced and whole)


def top_message(top: BookTop) -> market.BookTop:
    """Write a book top, without the quantities, which risk does not keep."""
    return market.BookTop(
        instrument=top.instrument, event_time_ns=top.event_time_ns, best_bid=text_or_empty(top.best_bid),
        best_ask=text_or_empty(top.best_ask), mark_price=text_or_empty(top.mark_price), synced=top.synced)


def read_report(message: execution.ExecutionReport) -> ExecutionReport:
    """Read an execution report. Raises `InputError` where its numbers do not parse: execution never sends such."""
    kind, status = member_of(ReportKind, message.kind), member_of(OrderStatus, message.status)
    return ExecutionReport(
        sequence=message.sequence,
        event_time_ns=message.event_time_ns,
        kind=kind,
        decision_id=message.decision_id,
        instrument=message.instrument,
        side=member_of(Side, message.side),
        final=status is not None and status.final,
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


def _member(kind: type[Member], number: int, name: str, problems: list[str]) -> Member | None:
    member = member_of(kind, number)
    if member is None and number:
        problems.append(f"{name} must be a known {kind.__name__}, was {number}")
    return member


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

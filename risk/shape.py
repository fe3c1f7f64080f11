"""Whether an intent is well-formed by itself, before any market or account is looked at.

Every enum that an order states must be specified, and the fields must fit its type. Position sides other than BOTH
(hedge mode) and execution algorithms are not taken: risk cannot count what they may do.
"""

from collections.abc import Iterator
from enum import Enum

from risk.domain import Order, OrderIntent
from sluice.decimals import ZERO
from sluice.orders import (
    CLOSING_TYPES,
    CONDITIONAL_TYPES,
    PRICED_TYPES,
    STOP_TYPES,
    AlgorithmKind,
    OrderType,
    PositionSide,
    TimeInForce,
)

MAX_ACTION = 2
MAX_ID = 200


def problems_of(intent: OrderIntent) -> list[str]:
    """Return everything that is wrong with the intent's form, each as a sentence."""
    order = intent.order
    return [*intent.problems, *_about_intent(intent), *_unspecified(order), *_unsupported(order), *_combinations(order),
            *_closing(order)]


def _about_intent(intent: OrderIntent) -> Iterator[str]:
    if not 0 < len(intent.intent_id) <= MAX_ID:
        yield f"intent_id must have 1 to {MAX_ID} characters, was {len(intent.intent_id)}"
    if not intent.strategy:
        yield "strategy must be named, was empty"
    if abs(intent.action) > MAX_ACTION:
        yield f"action must be between -{MAX_ACTION} and {MAX_ACTION}, was {intent.action}"
    atr = intent.average_true_range
    if not intent.order.reducing and (atr is None or atr <= ZERO):
        yield f"average_true_range must be positive for an order that may open, was {'empty' if atr is None else atr}"


def _unspecified(order: Order) -> Iterator[str]:
    stated = {
        "side": order.side is None,
        "position_side": order.position_side is None,
        "type": order.type is None,
        "time_in_force": order.time_in_force is None,
        "self_trade_prevention": order.self_trade_prevention is None,
        "price_match": order.price_match is None,
        "trigger_price": order.type in CONDITIONAL_TYPES and order.trigger_price is None,
    }
    yield from (f"{name} must be specified, was UNSPECIFIED" for name, missing in stated.items() if missing)


def _unsupported(order: Order) -> Iterator[str]:
    if order.position_side not in (None, PositionSide.BOTH):
        yield f"position_side must be BOTH (one-way mode), was {_name(order.position_side)}"
    if order.algorithm not in (None, AlgorithmKind.NONE):
        yield f"algorithm must be NONE, was {_name(order.algorithm)}"


def _combinations(order: Order) -> Iterator[str]:
    if order.type not in PRICED_TYPES and order.price is not None:
        yield f"price must be empty for {_name(order.type)}, was {order.price}"
    if order.pegged and (order.type not in PRICED_TYPES or order.price is not None):
        yield f"price_match must be NONE for {_name(order.type)} with its price, was {_name(order.price_match)}"
    if order.type not in STOP_TYPES and order.stop_price is not None:
        yield f"stop_price must be empty for {_name(order.type)}, was {order.stop_price}"
    if (order.type is OrderType.TRAILING_STOP_MARKET) != (order.callback_rate_percent is not None):
        yield "callback_rate_percent must be given for TRAILING_STOP_MARKET and for no other type"
    if order.callback_rate_percent is not None and order.callback_rate_percent <= ZERO:
        yield f"callback_rate_percent must be positive, was {order.callback_rate_percent}"
    if order.time_in_force in (TimeInForce.GTX, TimeInForce.RPI) and order.type is not OrderType.LIMIT:
        yield f"time_in_force {_name(order.time_in_force)} must go with LIMIT, was {_name(order.type)}"
    if (order.time_in_force is TimeInForce.GTD) != (order.good_till_time_ns > 0):
        yield f"good_till_time_ns must be given with GTD and only then, was {order.good_till_time_ns}"


def _closing(order: Order) -> Iterator[str]:
    if not order.close_position:
        return
    if order.type not in CLOSING_TYPES:
        yield f"close_position must go with STOP_MARKET or TAKE_PROFIT_MARKET, was {_name(order.type)}"
    if order.quantity is not None:
        yield f"quantity must be empty with close_position, was {order.quantity}"
    if order.reduce_only:
        yield "reduce_only must be false with close_position, was true"


def _name(word: Enum | None) -> str:
    return "UNSPECIFIED" if word is None else word.name

"""Between the dataflow's values and the contracts' messages. No call is made here."""

import math
from decimal import Decimal

from dataflows.actors.market import BookTop, FeatureRow
from dataflows.actors.strategy_domain import OrderKind, OrderReport, PlaceOrder, Prediction
from sluice.decimals import ZERO, nearest_step, text, text_or_empty
from sluice.execution.v1 import execution_pb2 as execution
from sluice.features.v1 import features_pb2 as features
from sluice.inference.v1 import inference_pb2 as inference
from sluice.instruments import Instrument
from sluice.market.v1 import market_pb2 as market
from sluice.orders import OrderStatus, Side, member_of, number_of
from sluice.risk.v1 import order_pb2 as orders
from sluice.risk.v1 import risk_pb2 as risk

_TYPES = {
    OrderKind.POST_ONLY: (orders.ORDER_TYPE_LIMIT, orders.TIME_IN_FORCE_GTX),
    OrderKind.TAKE: (orders.ORDER_TYPE_LIMIT, orders.TIME_IN_FORCE_IOC),
    OrderKind.MARKET: (orders.ORDER_TYPE_MARKET, orders.TIME_IN_FORCE_GTC),
}


def intent_message(place: PlaceOrder, strategy: str, model_version: str) -> risk.OrderIntent:
    """Return a strategy's intent as risk reads it."""
    return risk.OrderIntent(
        intent_id=place.intent_id,
        strategy=strategy,
        order=order_message(place),
        event_time_ns=place.event_time_ns,
        average_true_range=text_or_empty(place.average_true_range),
        model_version=model_version,
        action=place.action,
    )


def order_message(place: PlaceOrder) -> orders.Order:
    """Return the order that an intent asks for, every field of it stated."""
    order_type, time_in_force = _TYPES[place.kind]
    return orders.Order(
        instrument=place.instrument,
        side=orders.Side.ValueType(number_of(place.side)),
        position_side=orders.POSITION_SIDE_BOTH,
        type=order_type,
        time_in_force=time_in_force,
        quantity=text(place.quantity),
        price=text_or_empty(place.price),
        reduce_only=place.reduce_only,
        self_trade_prevention=orders.SELF_TRADE_PREVENTION_EXPIRE_MAKER,
        price_match=orders.PRICE_MATCH_NONE,
        algorithm=orders.Algorithm(kind=orders.ALGORITHM_KIND_NONE),
    )


def top_message(top: BookTop, instrument: Instrument) -> market.BookTop:
    """Return a book top in decimals; a price that is not known is empty."""
    return market.BookTop(
        instrument=instrument.key,
        event_time_ns=top.event_time_ns,
        best_bid=_on_step(top.best_bid, instrument.tick_size),
        best_bid_quantity=_on_step(top.best_bid_quantity, instrument.lot_size),
        best_ask=_on_step(top.best_ask, instrument.tick_size),
        best_ask_quantity=_on_step(top.best_ask_quantity, instrument.lot_size),
        mark_price=_on_step(top.mark_price, instrument.tick_size / 1000),
        synced=top.synced,
    )


def _on_step(value: float, step: Decimal) -> str:
    return "" if math.isnan(value) else text(nearest_step(value, step))


def row_message(row: FeatureRow, position_fraction: float) -> inference.PredictRow:
    """Return a feature row with the position it is predicted for."""
    return inference.PredictRow(
        row=features.FeatureRow(
            instrument=row.instrument, event_time_ns=row.event_time_ns, sequence=row.sequence,
            schema_hash=row.schema_hash, values=row.values, valid=row.valid),
        position_fraction=position_fraction,
    )


def prediction_of(message: inference.Prediction, model_version: str) -> Prediction:
    """Return a prediction as the strategies read it."""
    return Prediction(message.instrument, message.action, message.valid, model_version)


def report_of(message: execution.ExecutionReport) -> OrderReport:
    """Return an execution report as the strategies read it."""
    filled, status = message.kind == execution.REPORT_KIND_FILL, member_of(OrderStatus, message.status)
    ended = status is not None and status.final
    return OrderReport(
        sequence=message.sequence,
        instrument=message.instrument,
        client_order_id=message.client_order_id,
        side=Side.BUY if message.side == orders.SIDE_BUY else Side.SELL,
        final=ended or message.kind == execution.REPORT_KIND_NOT_SENT,
        fill_quantity=Decimal(message.fill.quantity) if filled else ZERO,
        fill_price=Decimal(message.fill.price) if filled else ZERO,
        fee=Decimal(message.fill.fee) if filled else ZERO,
    )

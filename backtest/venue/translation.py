"""Between execution's words and the exchange's: an order request as a ticket, user events as facts about orders."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from backtest.exchange.core import OrderTicket, UserEvent
from execution.domain import OrderRequest
from execution.venues.binance.translation import EXPIRIES
from execution.venues.interface import VenueEvent, VenueEventKind, VenueFill
from sluice.clock import NS_PER_MS
from sluice.orders import OrderType, TriggerPrice

_KINDS: Final = {
    "NEW": VenueEventKind.ACCEPTED, "TRADE": VenueEventKind.FILL, "CALCULATED": VenueEventKind.FILL,
    "CANCELED": VenueEventKind.CANCELED, "EXPIRED": VenueEventKind.EXPIRED,
}


def ticket_of(request: OrderRequest) -> OrderTicket:
    """Return a request as a client would send it; what a market order needs not say is left out."""
    market = request.type is OrderType.MARKET
    return OrderTicket(
        symbol=request.instrument.symbol, side=request.side, type=request.type, quantity=request.quantity,
        price=request.price, time_in_force=None if market else request.time_in_force,
        position_side=request.position_side, reduce_only=request.reduce_only or None,
        close_position=request.close_position, client_order_id=request.client_order_id, stop_price=request.stop_price,
        working_type=request.trigger_price or TriggerPrice.LAST, price_protect=request.price_protect,
        activation_price=request.activation_price, callback_rate_percent=request.callback_rate_percent,
        price_match=request.price_match, self_trade_prevention=request.self_trade_prevention,
        good_till_date_ms=request.good_till_time_ns // NS_PER_MS)


def told_by(event: UserEvent) -> list[VenueEvent]:
    """Return what a user event says about an order: one fact, or nothing where it is about something else."""
    if event.kind != "ORDER_TRADE_UPDATE":
        return []
    order: Mapping[str, Any] = event.payload["o"]
    kind = _KINDS.get(order["x"])
    if kind is None:
        return []
    fill = _fill(order) if kind is VenueEventKind.FILL else None
    message = EXPIRIES.get(order["er"], "") if kind is VenueEventKind.EXPIRED else ""
    return [VenueEvent(kind, order["c"], event.event_time_ms * NS_PER_MS, str(order["i"]), message, fill)]


def _fill(order: Mapping[str, Any]) -> VenueFill:
    return VenueFill(
        str(order["t"]), Decimal(order["l"]), Decimal(order["L"]), Decimal(order["n"]), order["N"], order["m"])

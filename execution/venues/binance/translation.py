"""The exchange's words about an order as the venue's events: facts with the exchange's times.

A fact is the same whether it came by an answer, by the user stream or by a question later: the same trade id, the same
kind. Raises `InputError` for numbers that cannot be.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from execution.domain import Fill
from execution.venues.binance.user_events import OrderUpdate, UserEvent
from execution.venues.binance.wire import OrderAnswer, TradeRow
from execution.venues.interface import VenueEvent, VenueEventKind
from sluice.clock import NS_PER_MS
from sluice.decimals import ZERO
from sluice.errors import InputError

#: The exchange's final status -> what it means here. FILLED has no word of its own: its fills say it.
FINAL_STATUSES: Final = {
    "CANCELED": VenueEventKind.CANCELED, "EXPIRED": VenueEventKind.EXPIRED,
    "EXPIRED_IN_MATCH": VenueEventKind.EXPIRED, "REJECTED": VenueEventKind.REJECTED}
#: What happened to an order -> the event; TRADE is a fill, the rest is not told (amendments, liquidation's own).
_EXECUTIONS: Final = {
    "NEW": VenueEventKind.ACCEPTED, "CANCELED": VenueEventKind.CANCELED, "EXPIRED": VenueEventKind.EXPIRED,
    "REJECTED": VenueEventKind.REJECTED}
_TRADE: Final = "TRADE"
#: What the wire's number for an expiry (`er`) says; 0 is no reason but the order's own date.
EXPIRIES: Final = {
    "0": "the order's date was reached",
    "1": "expired in match: it met another order of this account",
    "2": "what was not filled at once has expired",
    "3": "what was not filled at once has expired, because it met another order of this account",
    "4": "a reduce-only order expires where no position is left to reduce",
    "5": "the account was liquidated",
    "6": "its condition did not hold any more",
    "7": "the instrument was delisted",
    "8": "the stop order that belongs to it was triggered",
    "9": "what was not filled at once has expired",
}


def is_final(status: str) -> bool:
    """Tell whether nothing can follow a status of the exchange."""
    return status == "FILLED" or status in FINAL_STATUSES


def acknowledged(answer: OrderAnswer) -> list[VenueEvent]:
    """Return the events of the answer to a placed order: it is there, and over where nothing of it was filled."""
    events = [_event(VenueEventKind.ACCEPTED, answer, answer.update_time)]
    if answer.status in FINAL_STATUSES and answer.executed_qty == ZERO:
        events.append(_event(FINAL_STATUSES[answer.status], answer, answer.update_time, _status_message(answer)))
    return events


def canceled(answer: OrderAnswer) -> list[VenueEvent]:
    """Return the events of the answer to a cancel."""
    kind = FINAL_STATUSES.get(answer.status)
    if kind is None:
        return []
    return [_event(kind, answer, answer.update_time, _status_message(answer))]


def whole_life(answer: OrderAnswer, trades: Sequence[TradeRow]) -> list[VenueEvent]:
    """Return everything that happened to an order, from a question about it and its trades."""
    events = [_event(VenueEventKind.ACCEPTED, answer, answer.time or answer.update_time)]
    for trade in sorted(trades, key=lambda row: (row.time, row.id)):
        fill = _fill(str(trade.id), trade.qty, trade.price, trade.commission, trade.commission_asset, trade.maker)
        events.append(_event(VenueEventKind.FILL, answer, trade.time, fill=fill))
    if answer.status in FINAL_STATUSES:
        events.append(_event(FINAL_STATUSES[answer.status], answer, answer.update_time, _status_message(answer)))
    return events


def told(event: UserEvent, settlement_asset: str) -> VenueEvent | None:
    """Return the event of an order's update, None where it says nothing that an order needs."""
    update = event.order
    if update is None:
        return None
    time_ns = (update.trade_time_ms or event.transaction_time_ms or event.event_time_ms) * NS_PER_MS
    order_id = str(update.order_id)
    if update.execution == _TRADE:
        fill = _fill(str(update.trade_id), update.last_quantity, update.last_price, update.fee or ZERO,
                     update.fee_asset or settlement_asset, update.maker)
        return VenueEvent(VenueEventKind.FILL, update.client_order_id, time_ns, order_id, fill=fill)
    kind = _EXECUTIONS.get(update.execution)
    if kind is None:
        return None
    return VenueEvent(kind, update.client_order_id, time_ns, order_id, _message(kind, update))


def _status_message(answer: OrderAnswer) -> str:
    return "" if answer.status == "CANCELED" else answer.status


def _message(kind: VenueEventKind, update: OrderUpdate) -> str:
    if kind is not VenueEventKind.EXPIRED:
        return ""
    return EXPIRIES.get(str(update.expiry_reason), f"{update.status}, reason {update.expiry_reason}")


def _event(kind: VenueEventKind, answer: OrderAnswer, time_ms: int, message: str = "",
           fill: Fill | None = None) -> VenueEvent:
    return VenueEvent(kind, answer.client_order_id, time_ms * NS_PER_MS, str(answer.order_id), message, fill)


def _fill(trade_id: str, quantity: Decimal, price: Decimal, fee: Decimal, fee_asset: str, maker: bool) -> Fill:
    if not (quantity.is_finite() and price.is_finite() and fee.is_finite()):
        raise InputError(f"a trade must have finite numbers, was {quantity} at {price} for {fee}")
    return Fill(trade_id, quantity, price, fee, fee_asset, maker)

"""The quantity asked for must be a positive multiple of the lot size and within the venue's bounds."""

from risk.checks.base import Check, refuse
from risk.domain import Order, Reason, ReasonCode
from risk.view import View
from sluice.decimals import ZERO, is_multiple
from sluice.orders import OrderType

_AT_MARKET = frozenset({OrderType.MARKET, OrderType.STOP_MARKET, OrderType.TAKE_PROFIT_MARKET})


def evaluate(order: Order, view: View) -> Reason | None:
    """Refuse a quantity that the venue would not take. It looks at what was asked for, before sizing."""
    instrument, quantity = view.instrument, view.intent.order.quantity
    if instrument is None or order.close_position:
        return None
    if quantity is None or quantity <= ZERO or not is_multiple(quantity, instrument.lot_size):
        return refuse(ReasonCode.QUANTITY_LOT, "quantity", "a positive multiple of", instrument.lot_size, quantity)
    if quantity < instrument.min_quantity:
        return refuse(ReasonCode.QUANTITY_LOT, "quantity", "at least", instrument.min_quantity, quantity)
    largest = instrument.max_market_quantity if order.type in _AT_MARKET else instrument.max_quantity
    if quantity > largest:
        return refuse(ReasonCode.QUANTITY_LOT, "quantity", "at most", largest, quantity)
    return None


CHECK = Check("quantity lot", ReasonCode.QUANTITY_LOT, evaluate)

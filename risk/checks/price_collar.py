"""An order's price must lie near the reference price, and within the venue's own band around it.

The reference is the mark price where known, else the middle of the book; of a stop-limit order it is its trigger. An
order at the market is held to the best price that it would meet.
"""

from decimal import Decimal

from risk.checks.base import Check, refuse
from risk.domain import Order, Reason, ReasonCode
from risk.pricing import collar_reference, distance_bps
from risk.view import View
from sluice.decimals import ZERO, text
from sluice.instruments import Instrument
from sluice.orders import CONDITIONAL_TYPES, Side


def evaluate(order: Order, view: View) -> Reason | None:
    """Refuse a price outside the collar or outside the venue's band."""
    if view.instrument is None or view.reference_price is None or order.side is None:
        return None
    price, reference = _price(order, view), collar_reference(order, view.reference_price)
    if price is None or price <= ZERO or reference <= ZERO:
        return None
    collar = view.limits.price_collar_bps
    distance = abs(distance_bps(price, reference))
    if distance > collar:
        return refuse(ReasonCode.PRICE_COLLAR, f"distance of price from {text(reference)}", "at most", collar,
                      round(distance, 4), "bps")
    return _venue_band(price, reference, view.instrument)


def _price(order: Order, view: View) -> Decimal | None:
    if order.price is not None or order.type in CONDITIONAL_TYPES or view.top is None:
        return order.price
    return view.top.best_ask if order.side is Side.BUY else view.top.best_bid


def _venue_band(price: Decimal, reference: Decimal, instrument: Instrument) -> Reason | None:
    low, high = reference * instrument.price_multiplier_down, reference * instrument.price_multiplier_up
    if low <= price <= high:
        return None
    return refuse(ReasonCode.PRICE_COLLAR, "price", "between", f"{text(low)} and {text(high)}", price)


CHECK = Check("price collar", ReasonCode.PRICE_COLLAR, evaluate)

"""At which price risk counts an order: the one that makes its notional largest."""

from decimal import Decimal

from risk.domain import Order
from sluice.config.settings import LimitSettings
from sluice.decimals import MONEY, ONE, ZERO
from sluice.orders import STOP_TYPES, Side

BASIS_POINTS = Decimal(10_000)


def worst_price(order: Order, reference: Decimal, limits: LimitSettings) -> Decimal:
    """Return the price that an order is reserved at.

    A limit buy fills at its price at most; a limit sell may fill higher, so it counts at the reference where that is
    higher. What has no limit price counts at its start price plus the allowed slippage.
    """
    if order.pegged:
        return reference * (ONE + limits.price_collar_bps / BASIS_POINTS)
    if order.price is not None:
        start = order.stop_price or reference
        return order.price if order.side is Side.BUY else max(order.price, start)
    start = order.stop_price or max(order.activation_price or ZERO, reference)
    return start * (ONE + limits.market_slippage_bps / BASIS_POINTS)


def slippage_bps(order: Order, reference: Decimal, limits: LimitSettings) -> Decimal:
    """Return how far from the reference price risk counted with, against us, in basis points (not negative)."""
    if order.pegged:
        return limits.price_collar_bps
    if order.price is None or order.side is None:
        return limits.market_slippage_bps
    return max(distance_bps(order.price, reference) * order.side.sign, ZERO)


def distance_bps(price: Decimal, reference: Decimal) -> Decimal:
    """Return how far a price lies above (positive) or below a reference price, in basis points."""
    return MONEY.divide((price - reference) * BASIS_POINTS, reference)


def collar_reference(order: Order, reference: Decimal) -> Decimal:
    """Return the price that the collar is around: for a conditional order with a limit price, its trigger."""
    if order.type in STOP_TYPES and order.stop_price is not None:
        return order.stop_price
    return reference

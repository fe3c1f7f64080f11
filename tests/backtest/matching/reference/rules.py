"""What the venue refuses before it matches: filters of the instrument and order forms that it does not take here.

The texts and numbers are Binance's (USD-M error codes), so that an operator can look them up. Conditional orders are
refused as Binance's order endpoint refuses them since 2025-12-09; hedge mode, retail orders and `price_match` are not
simulated and say so.
"""

from decimal import Decimal

from execution.domain import OrderRequest
from sluice.decimals import ZERO, is_multiple, text
from sluice.orders import OrderType, PositionSide, PriceMatch, Side, TimeInForce

POST_ONLY = (
    "-5022 Due to the order could not be executed as maker, the Post Only order will be rejected. "
    "Order would immediately match and take.")
FILL_OR_KILL = "-5021 Due to the order could not be filled immediately, the FOK order has been rejected."
REDUCE_ONLY = "-2022 ReduceOnly Order is rejected."
UNKNOWN_ORDER = "-2011 Unknown order sent."
NO_COUNTERPARTY = "-4131 The counterparty's best price does not meet the PERCENT_PRICE filter limit."
NO_BOOK = "the recorded book must be in sync to take an order, was not (no snapshot yet, or a gap since)"
UNFILLED_REST = "what was not filled at once has expired"
POSITION_CLOSED = "a reduce-only order expires where no position is left to reduce"
SELF_TRADE = "expired in match: it met another order of this account"
GOOD_TILL_DATE = "the order's date was reached"


def refuse_form(request: OrderRequest) -> str:
    """Return why an order of this form is not taken at all, "" where it is."""
    if request.type not in (OrderType.LIMIT, OrderType.MARKET) or request.close_position:
        return "-4120 Order type not supported for this endpoint. Please use the Algo Order API endpoints instead."
    if request.position_side is not PositionSide.BOTH:
        return "-4061 Order's position side does not match user's setting."
    if request.price_match is not PriceMatch.NONE:
        return f"price_match must be NONE in the simulation, was {request.price_match.name}"
    if request.time_in_force is TimeInForce.RPI:
        return "time_in_force RPI must not be used in the simulation: the tape does not show retail orders"
    if request.type is OrderType.LIMIT and request.price is None:
        return "-1102 Mandatory parameter 'price' was not sent, was empty/null, or malformed."
    return ""


def refuse_quantity(request: OrderRequest) -> str:
    """Return which filter of the quantity fails, "" where none does."""
    instrument, quantity = request.instrument, request.quantity
    market = request.type is OrderType.MARKET
    largest = instrument.max_market_quantity if market else instrument.max_quantity
    if quantity <= ZERO:
        return "-4003 Quantity less than or equal to zero."
    if quantity < instrument.min_quantity:
        return "-4004 Quantity less than min quantity."
    if quantity > largest:
        return "-4005 Quantity greater than max quantity."
    if not is_multiple(quantity, instrument.lot_size):
        return "-4023 Quantity not increased by step size."
    return ""


def refuse_price(request: OrderRequest, reference: Decimal) -> str:
    """Return which filter of a limit price fails against a reference (mark) price, "" where none does."""
    if request.price is None or request.type is OrderType.MARKET:
        return ""
    if request.price <= ZERO:
        return "-4001 Price less than 0."
    if not is_multiple(request.price, request.instrument.tick_size):
        return "-4014 Price not increased by tick size."
    bound = price_bound(request, reference)
    if request.side is Side.BUY and request.price > bound:
        return f"-4016 Limit price can't be higher than {text(bound)}."
    if request.side is Side.SELL and request.price < bound:
        return f"-4024 Limit price can't be lower than {text(bound)}."
    return ""


def refuse_notional(request: OrderRequest, reference: Decimal) -> str:
    """Return whether the order is too small for the venue, "" where it is not. Reduce-only orders may be."""
    smallest = request.instrument.min_notional
    price = request.price if request.type is OrderType.LIMIT and request.price is not None else reference
    if request.reduce_only or request.instrument.notional(request.quantity, price) >= smallest:
        return ""
    return f"-4164 Order's notional must be no smaller than {text(smallest)} (unless you choose reduce only)."


def refuse_date(request: OrderRequest, now_ns: int) -> str:
    """Return whether a date is missing or past where the order has to have one, "" where all is well."""
    if request.time_in_force is TimeInForce.GTD and request.good_till_time_ns <= now_ns:
        return f"good_till_time_ns must be after {now_ns}, was {request.good_till_time_ns}"
    return ""


def refusal(request: OrderRequest, reference: Decimal, now_ns: int) -> str:
    """Return the first reason for which the venue refuses an order whatever the book shows, "" where it takes it."""
    return (
        refuse_form(request)
        or refuse_date(request, now_ns)
        or refuse_quantity(request)
        or refuse_price(request, reference)
        or refuse_notional(request, reference)
    )


def price_bound(request: OrderRequest, reference: Decimal) -> Decimal:
    """Return the worst price that PERCENT_PRICE allows: reference * multiplier up for a buy, down for a sell."""
    instrument = request.instrument
    if request.side is Side.BUY:
        return reference * instrument.price_multiplier_up
    return reference * instrument.price_multiplier_down

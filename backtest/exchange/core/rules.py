"""What the exchange refuses by the form of an order and by the symbol's filters, in the order in which Binance looks.

First what parameters go together, then mode and dates, then the filters of quantity and price. Whether the wallet pays
for an order and what the book says to it comes later. Sources: Binance, new order and error codes of USD-M futures.
"""

import re
from decimal import Decimal
from typing import Final

from backtest.exchange.core.domain import Listing, OrderTicket
from backtest.exchange.core.errors import ExchangeError, refuse
from backtest.exchange.core.listings import decimals, price_limits
from sluice.decimals import ZERO, is_multiple, text
from sluice.orders import (
    CLOSING_TYPES,
    CONDITIONAL_TYPES,
    PRICED_TYPES,
    STOP_TYPES,
    OrderType,
    PositionSide,
    PriceMatch,
    Side,
    TimeInForce,
)

_CLIENT_ID: Final = re.compile(r"[.A-Z:/a-z0-9_-]{1,36}")
_SOONEST_DATE_MS: Final = 600_000
_LATEST_DATE_MS: Final = 253_402_300_799_000
_CALLBACK_RATES: Final = (Decimal("0.1"), Decimal(20))


def missing(parameter: str) -> ExchangeError:
    """Return the error of a parameter that must be there."""
    return refuse(-1102, parameter=parameter)


def superfluous(parameter: str) -> ExchangeError:
    """Return the error of a parameter that must not be there."""
    return refuse(-1106, parameter=parameter)


def check_ordinary(ticket: OrderTicket, hedge: bool, now_ms: int) -> None:
    """Raise `ExchangeError` where an order is not of a form that the order endpoint takes."""
    if ticket.type in CONDITIONAL_TYPES:
        raise refuse(-4120)
    if ticket.close_position:
        raise refuse(-4136, type=ticket.type.name)
    if ticket.type is OrderType.MARKET:
        _check_market(ticket)
    _check_common(ticket, hedge, now_ms)


def check_conditional(ticket: OrderTicket, hedge: bool, now_ms: int) -> None:
    """Raise `ExchangeError` where an order is not of a form that the algo order endpoint takes."""
    if ticket.type not in CONDITIONAL_TYPES:
        raise refuse(-1116)
    if ticket.type in STOP_TYPES and (ticket.stop_price is None or ticket.stop_price <= ZERO):
        raise missing("triggerPrice")
    if ticket.type is OrderType.TRAILING_STOP_MARKET:
        _check_trailing(ticket)
    if ticket.close_position:
        _check_closing(ticket)
    if ticket.type not in PRICED_TYPES and ticket.price is not None:
        raise superfluous("price")
    _check_common(ticket, hedge, now_ms)


def check_filters(ticket: OrderTicket, listing: Listing, mark_price: Decimal) -> None:
    """Raise `ExchangeError` where quantity or prices fail a filter of the symbol; `mark_price` may be zero: unknown."""
    if ticket.quantity is not None and not ticket.close_position:
        check_quantity(ticket.quantity, listing, market=ticket.type not in PRICED_TYPES)
    if ticket.price is not None:
        check_price(ticket.price, listing)
        check_percent_price(ticket.side, ticket.price, listing, mark_price)
    for price in (ticket.stop_price, ticket.activation_price):
        if price is not None and price != ZERO:
            check_price(price, listing)


def check_quantity(quantity: Decimal, listing: Listing, *, market: bool) -> None:
    """Raise `ExchangeError` where a quantity fails LOT_SIZE or MARKET_LOT_SIZE."""
    instrument = listing.instrument
    if quantity <= ZERO:
        raise refuse(-4003)
    if decimals(quantity.normalize()) > price_limits(instrument).quantity_precision:
        raise refuse(-1111)
    if quantity < instrument.min_quantity:
        raise refuse(-4004)
    if quantity > (instrument.max_market_quantity if market else instrument.max_quantity):
        raise refuse(-4005)
    if not is_multiple(quantity, instrument.lot_size):
        raise refuse(-4023)


def check_price(price: Decimal, listing: Listing) -> None:
    """Raise `ExchangeError` where a price fails PRICE_FILTER."""
    limits = price_limits(listing.instrument)
    if price <= ZERO:
        raise refuse(-4001)
    if decimals(price.normalize()) > limits.price_precision:
        raise refuse(-1111)
    if price > limits.max_price:
        raise refuse(-4002)
    if price < limits.min_price:
        raise refuse(-4013)
    if not is_multiple(price, listing.instrument.tick_size):
        raise refuse(-4014)


def check_percent_price(side: Side, price: Decimal, listing: Listing, mark_price: Decimal) -> None:
    """Raise `ExchangeError` where a limit price is too far beyond the mark price, on the side where it costs."""
    if mark_price == ZERO:
        return
    bound = price_bound(side, listing, mark_price)
    if side is Side.BUY and price > bound:
        raise refuse(-4016, price=text(bound))
    if side is Side.SELL and price < bound:
        raise refuse(-4024, price=text(bound))


def price_bound(side: Side, listing: Listing, mark_price: Decimal) -> Decimal:
    """Return the worst price that PERCENT_PRICE allows: mark * multiplier up for a buy, down for a sell."""
    instrument = listing.instrument
    factor = instrument.price_multiplier_up if side is Side.BUY else instrument.price_multiplier_down
    return mark_price * factor


def check_date(ticket: OrderTicket, now_ms: int) -> None:
    """Raise `ExchangeError` where a good-till date is missing, too soon or too late. It counts in whole seconds."""
    if ticket.time_in_force is not TimeInForce.GTD:
        return
    if not ticket.good_till_date_ms:
        raise missing("goodTillDate")
    if not now_ms + _SOONEST_DATE_MS < ticket.good_till_date_ms < _LATEST_DATE_MS:
        raise refuse(-5040)


def check_client_id(client_order_id: str) -> None:
    """Raise `ExchangeError` where a client order id has characters or a length that ids may not have."""
    if client_order_id and not _CLIENT_ID.fullmatch(client_order_id):
        raise refuse(-4015)


def _check_common(ticket: OrderTicket, hedge: bool, now_ms: int) -> None:
    check_client_id(ticket.client_order_id)
    if ticket.quantity is None and not ticket.close_position:
        raise missing("quantity")
    if ticket.type in PRICED_TYPES:
        _check_priced(ticket)
    elif (ticket.price_match or PriceMatch.NONE) is not PriceMatch.NONE:
        raise refuse(-5038)
    _check_mode(ticket, hedge)
    check_date(ticket, now_ms)


def _check_market(ticket: OrderTicket) -> None:
    if ticket.price is not None:
        raise superfluous("price")
    if ticket.time_in_force is not None:
        raise superfluous("timeInForce")


def _check_priced(ticket: OrderTicket) -> None:
    matched = (ticket.price_match or PriceMatch.NONE) is not PriceMatch.NONE
    if ticket.time_in_force is None and ticket.type is OrderType.LIMIT:
        raise missing("timeInForce")
    if ticket.time_in_force is TimeInForce.RPI:
        raise refuse(-1115)
    if ticket.price is None and not matched:
        raise missing("price")
    if ticket.price is not None and matched:
        raise superfluous("price")


def _check_trailing(ticket: OrderTicket) -> None:
    rate = ticket.callback_rate_percent
    if rate is None:
        raise missing("callbackRate")
    if not _CALLBACK_RATES[0] <= rate <= _CALLBACK_RATES[1] or decimals(rate.normalize()) > 1:
        raise refuse(-2007)
    if ticket.stop_price is not None:
        raise superfluous("triggerPrice")


def _check_closing(ticket: OrderTicket) -> None:
    if ticket.type not in CLOSING_TYPES:
        raise refuse(-4136, type=ticket.type.name)
    if ticket.quantity is not None:
        raise refuse(-4137)
    if ticket.reduce_only is not None:
        raise superfluous("reduceonly")


def _check_mode(ticket: OrderTicket, hedge: bool) -> None:
    side = ticket.position_side or PositionSide.BOTH
    if hedge is (side is PositionSide.BOTH):
        raise refuse(-4061)
    if hedge and ticket.reduce_only is not None:
        raise superfluous("reduceonly")

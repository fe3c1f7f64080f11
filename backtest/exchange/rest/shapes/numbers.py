"""Numbers as REST answers write them: prices and quantities with the decimals of their steps, money with eight."""

from decimal import Decimal
from typing import Final

from backtest.exchange.core.domain import Listing
from backtest.exchange.core.listings import decimals
from sluice.decimals import MONEY, text

_MONEY_DECIMALS: Final = 8
_AVERAGE_DECIMALS: Final = 5


def fixed(value: Decimal, places: int) -> str:
    """Return a number with this many decimals, rounded half to even; more where it has more than can be shown."""
    rounded = value.quantize(Decimal(1).scaleb(-places), context=MONEY)
    return format(rounded + 0, "f")


def price(listing: Listing, value: Decimal) -> str:
    """Return a price on its tick."""
    return exact_or_fixed(value, decimals(listing.instrument.tick_size))


def quantity(listing: Listing, value: Decimal) -> str:
    """Return a quantity on its lot."""
    return exact_or_fixed(value, decimals(listing.instrument.lot_size))


def exact_or_fixed(value: Decimal, places: int) -> str:
    """Return a number with this many decimals, and all of them where it has more: nothing is rounded away."""
    rounded = fixed(value, places)
    return rounded if Decimal(rounded) == value else text(value)


def average(listing: Listing, value: Decimal) -> str:
    """Return an average price, which falls between ticks."""
    return fixed(value, max(_AVERAGE_DECIMALS, decimals(listing.instrument.tick_size)))


def money(value: Decimal) -> str:
    """Return an amount of an asset."""
    return fixed(value, _MONEY_DECIMALS)


def plain(value: Decimal) -> str:
    """Return a number without trailing zeros."""
    return text(value)

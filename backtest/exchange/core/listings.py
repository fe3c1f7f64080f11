"""Listings: what the exchange trades, made from instruments, and the limits that exchangeInfo shows for them."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from backtest.account.brackets import shipped_brackets
from backtest.account.fees import FeeRates
from backtest.exchange.core.domain import PERPETUAL_DELIVERY_MS, Listing, Product
from sluice.instruments import Instrument, Venue

PRODUCTS: Final = {Venue.BINANCE_USDM: Product.USDM, Venue.BINANCE_COINM: Product.COINM}
VENUES: Final = {product: venue for venue, product in PRODUCTS.items()}
_DELIVERY: Final = re.compile(r"_(\d{6})$")
_QUARTERS: Final = frozenset({3, 6, 9, 12})
#: The highest price is this many ticks.
_HIGHEST_TICKS: Final = 10_000_000


@dataclass(frozen=True, slots=True)
class PriceLimits:
    """PRICE_FILTER and the decimals of price and quantity that parameters may have."""

    min_price: Decimal
    max_price: Decimal
    price_precision: int
    quantity_precision: int


def price_limits(instrument: Instrument) -> PriceLimits:
    """Return an instrument's limits; decimals are those of its tick and lot as the venue writes them."""
    return PriceLimits(
        instrument.tick_size, instrument.tick_size * _HIGHEST_TICKS, decimals(instrument.tick_size),
        decimals(instrument.lot_size))


def decimals(step: Decimal) -> int:
    """Return how many decimals a step is written with."""
    return max(0, -int(step.as_tuple().exponent))


def listing_of(instrument: Instrument) -> Listing:
    """Return an instrument's listing; a symbol that ends in a date is a contract that ends then, at 08:00 UTC."""
    return Listing(
        PRODUCTS[instrument.venue], instrument, instrument.symbol.partition("_")[0], *_life(instrument.symbol),
        brackets=shipped_brackets(instrument).brackets)


def _life(symbol: str) -> tuple[str, int, int]:
    onboard = 1_569_398_400_000
    found = _DELIVERY.search(symbol)
    if found is None:
        return "PERPETUAL", onboard, PERPETUAL_DELIVERY_MS
    try:
        day = datetime.strptime(found[1], "%y%m%d").replace(hour=8, tzinfo=UTC)
    except ValueError:
        return "PERPETUAL", onboard, PERPETUAL_DELIVERY_MS
    kind = "CURRENT_QUARTER" if day.month in _QUARTERS else "CURRENT_MONTH"
    return kind, onboard, int(day.timestamp()) * 1000


def listings_of(instruments: Iterable[Instrument]) -> tuple[Listing, ...]:
    """Return the listings of every instrument of a venue that is simulated, by symbol."""
    wanted = sorted((i for i in instruments if i.venue in PRODUCTS), key=lambda i: i.symbol)
    return tuple(listing_of(instrument) for instrument in wanted)


def flat_fees(maker: Decimal, taker: Decimal) -> dict[Venue, FeeRates]:
    """Return one maker and one taker rate (shares of a trade's value) for both products, in place of the tiers."""
    return dict.fromkeys(PRODUCTS, FeeRates(maker, taker))


def wallets_of(balances: Mapping[str, Decimal], listings: Iterable[Listing]) -> dict[Product, dict[str, Decimal]]:
    """Return balances by product: each asset goes to the wallets of the products in which something settles in it."""
    found: dict[Product, dict[str, Decimal]] = {}
    for listing in listings:
        asset = listing.instrument.settlement_asset
        if asset in balances:
            found.setdefault(listing.product, {})[asset] = balances[asset]
    return found

"""What the account holds, as the exchange tells it: positions of every symbol, open orders of those that we trade.

Somebody else's order in another symbol shows by its position once it is filled; asking for orders without a symbol
costs forty times the weight.
"""

from collections.abc import Iterable
from decimal import Decimal

from execution.venues.binance.outcomes import RequestFailed
from execution.venues.binance.products import (
    COINM_POSITIONS,
    OPEN_CONDITIONAL,
    OPEN_ORDERS,
    USDM_POSITIONS,
    Endpoint,
    Product,
    product_of,
)
from execution.venues.binance.rest import Caller
from execution.venues.binance.signing import Parameters
from execution.venues.binance.wire import OpenOrderRow, PositionRow, read
from execution.venues.interface import Holdings, VenueOutcomeUnknown
from sluice.decimals import ZERO
from sluice.instruments import Instrument


async def account_holdings(caller: Caller, products: Iterable[Product], traded: Iterable[Instrument]) -> Holdings:
    """Return what the account holds. Raises `VenueOutcomeUnknown`."""
    positions: dict[str, Decimal] = {}
    for product in products:
        positions |= await _positions(caller, product)
    open_orders: dict[str, str] = {}
    for instrument in traded:
        for endpoint in (OPEN_ORDERS, OPEN_CONDITIONAL):
            body = await _ask(caller, product_of(instrument), endpoint, {"symbol": instrument.symbol})
            open_orders |= {row.client_order_id or row.client_algo_id: instrument.key
                            for row in read(body, list[OpenOrderRow])}
    return Holdings(positions, open_orders)


async def _positions(caller: Caller, product: Product) -> dict[str, Decimal]:
    endpoint = USDM_POSITIONS if product is Product.USDM else COINM_POSITIONS
    found: dict[str, Decimal] = {}
    for row in read(await _ask(caller, product, endpoint, {}), list[PositionRow]):
        key = f"{product.venue.name}:{row.symbol}"
        found[key] = found.get(key, ZERO) + row.position_amt
    return {key: held for key, held in found.items() if held}


async def _ask(caller: Caller, product: Product, endpoint: Endpoint, parameters: Parameters) -> bytes:
    try:
        return await caller.call(product, endpoint, parameters)
    except RequestFailed as error:
        raise VenueOutcomeUnknown(error.outcome.text) from None

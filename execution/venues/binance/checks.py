"""What must be so before the first order: the exchange's filters are those of our instruments, positions are one-way.

An order that is rounded to another tick or lot than the exchange's is refused at best, so a difference stops the start.
A largest quantity that differs only costs a refusal and is said in the log.
"""

import logging
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation

from execution.venues.binance.outcomes import RequestFailed, Verdict
from execution.venues.binance.products import (
    COINM_POSITIONS,
    EXCHANGE_INFORMATION,
    POSITION_MODE,
    USDM_POSITIONS,
    Product,
)
from execution.venues.binance.rest import Caller
from execution.venues.binance.wire import ExchangeInformation, PositionMode, PositionRow, SymbolInformation, read
from execution.venues.interface import VenueOutcomeUnknown
from sluice.decimals import text
from sluice.errors import ConfigurationError, NotRunningError
from sluice.instruments import Instrument

_log = logging.getLogger("execution.venues.binance")
#: Our field, the exchange's filter, its field.
_MUST_AGREE = (
    ("tick_size", "PRICE_FILTER", "tickSize"), ("lot_size", "LOT_SIZE", "stepSize"),
    ("min_quantity", "LOT_SIZE", "minQty"), ("min_notional", "MIN_NOTIONAL", "notional"))
_LARGEST = (("max_quantity", "LOT_SIZE", "maxQty"), ("max_market_quantity", "MARKET_LOT_SIZE", "maxQty"))


async def check_product(caller: Caller, product: Product, instruments: Iterable[Instrument],
                        named: frozenset[str]) -> None:
    """Compare a product with our instruments; those of `named` (keys) must be listed.

    Raises `ConfigurationError` where they differ, `NotRunningError` where the exchange does not answer.
    """
    try:
        information = read(await caller.call(product, EXCHANGE_INFORMATION, {}), ExchangeInformation)
        mode = read(await caller.call(product, POSITION_MODE, {}), PositionMode)
        positions = USDM_POSITIONS if product is Product.USDM else COINM_POSITIONS
        rows = read(await caller.call(product, positions, {}), list[PositionRow])
    except VenueOutcomeUnknown as error:
        raise NotRunningError(f"the exchange must answer before the first order, did not: {error}",
                              fix=f"see that binance.{product.settings_name}.rest_url is right and reachable") from None
    except RequestFailed as error:
        if error.outcome.verdict is Verdict.NOT_CARRIED_OUT:
            raise NotRunningError(f"the exchange must answer before the first order, did not: {error}",
                                  fix="start again a little later") from None
        raise ConfigurationError([f"the exchange must accept our key for {product.name}, answered: {error}"],
                                 fix="see to binance.api_key, its secret, its permissions and its addresses") from None
    listed = {symbol.symbol: symbol for symbol in information.symbols}
    found = problems(listed, instruments, named)
    if mode.dual_side_position:
        found.append(f"the account's positions in {product.name} must be one-way, were kept a side (hedge mode)")
    if found:
        raise ConfigurationError(found, fix="correct [[instruments]], or the account's position mode")
    _log.info("leverage in %s: %s", product.name, _leverages(rows, instruments))


def problems(listed: Mapping[str, SymbolInformation], instruments: Iterable[Instrument],
             named: frozenset[str]) -> list[str]:
    """Return where our instruments differ from what the exchange lists."""
    found: list[str] = []
    for instrument in instruments:
        if (symbol := listed.get(instrument.symbol)) is not None:
            found += _differences(instrument, symbol)
        elif instrument.key in named:
            found.append(f"instrument {instrument.key} must be listed by the exchange, was not")
    return found


def _differences(instrument: Instrument, symbol: SymbolInformation) -> list[str]:
    filters = {str(each.get("filterType")): each for each in symbol.filters}
    found = []
    for ours, name, theirs in _MUST_AGREE:
        value, wanted = getattr(instrument, ours), _number(filters.get(name, {}).get(theirs))
        if wanted is not None and value != wanted:
            found.append(f"{ours} of {instrument.key} must be the exchange's {text(wanted)}, was {text(value)}")
    if instrument.inverse and symbol.contract_size != instrument.contract_size:
        found.append(f"contract_size of {instrument.key} must be the exchange's {text(symbol.contract_size)}, was "
                     f"{text(instrument.contract_size)}")
    for ours, name, theirs in _LARGEST:
        value, largest = getattr(instrument, ours), _number(filters.get(name, {}).get(theirs))
        if largest is not None and value > largest:
            _log.warning("%s of %s is %s, more than the exchange's %s", ours, instrument.key, value, largest)
    return found


def _number(raw: object) -> Decimal | None:
    try:
        value = Decimal(str(raw))
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


def _leverages(rows: Iterable[PositionRow], instruments: Iterable[Instrument]) -> str:
    symbols = {instrument.symbol for instrument in instruments}
    return ", ".join(f"{row.symbol} {row.leverage}x" for row in rows if row.symbol in symbols) or "none told"

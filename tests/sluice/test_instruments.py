"""Instruments and their catalogue."""

from decimal import Decimal

import pytest

from sluice.errors import ConfigurationError, NotFoundError
from sluice.instruments import Instrument, InstrumentCatalog

CATALOG = InstrumentCatalog.shipped()


def a_table() -> dict[str, object]:
    return {
        "venue": "BINANCE_USDM", "symbol": "DOGEUSDT", "contract_kind": "LINEAR", "base_asset": "DOGE",
        "quote_asset": "USDT", "settlement_asset": "USDT", "contract_size": "1", "tick_size": "0.00001",
        "lot_size": "1", "min_quantity": "1", "max_quantity": "50000000", "max_market_quantity": "30000000",
        "min_notional": "5", "price_multiplier_up": "1.1", "price_multiplier_down": "0.9"}


def test_an_instrument_is_found_by_key_and_by_symbol() -> None:
    found = CATALOG.require("BINANCE_COINM:BTCUSD_PERP")
    assert CATALOG.by_symbol("BTCUSD_PERP") is found
    assert (found.inverse, found.settlement_asset, found.contract_size) == (True, "BTC", Decimal(100))
    assert CATALOG.by_symbol("btcusdt") is None


def test_an_unknown_key_says_what_there_is() -> None:
    with pytest.raises(NotFoundError, match=r"must be one of .*BINANCE_USDM:BTCUSDT.*, was 'X:Y'"):
        CATALOG.require("X:Y")


def test_the_notional_of_an_inverse_contract_does_not_depend_on_the_price() -> None:
    linear, inverse = CATALOG.require("BINANCE_USDM:BTCUSDT"), CATALOG.require("BINANCE_COINM:BTCUSD_PERP")
    assert linear.notional(Decimal("-0.5"), Decimal(60_000)) == 30_000
    assert inverse.notional(Decimal(-5), Decimal(60_000)) == inverse.notional(Decimal(5), Decimal(1)) == 500


def test_a_table_with_three_mistakes_names_all_three() -> None:
    table = a_table() | {"venue": "MTGOX", "tick_size": "-1", "colour": "red"}
    del table["symbol"]
    with pytest.raises(ConfigurationError) as caught:
        Instrument.from_table(table)
    text = caught.value.message
    assert "venue must be one of" in text
    assert "tick_size must be positive, was -1" in text
    assert "symbol is missing" in text
    assert "unknown key 'colour'" in text


def test_a_configured_instrument_adds_to_the_catalogue() -> None:
    merged = CATALOG.merged(InstrumentCatalog([Instrument.from_table(a_table())]))
    assert merged.require("BINANCE_USDM:DOGEUSDT").tick_size == Decimal("0.00001")
    assert len(merged) == len(CATALOG) + 1
    assert [item.key for item in merged] == sorted(item.key for item in merged)

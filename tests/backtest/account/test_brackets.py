import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest.account import BracketTable, shipped_brackets
from sluice.errors import InputError
from sluice.instruments import InstrumentCatalog
from tests.backtest.account.builders import BTC, COIN, D


def tables_of_binance(data_folder: Path) -> dict[str, BracketTable]:
    path = data_folder / "exchange_info" / "binance_usdm_leverage_tiers_2024-10.json"
    return {name: BracketTable.from_binance([row["info"] for row in rows])
            for name, rows in json.loads(path.read_text()).items()}


@pytest.mark.needs("data")
def test_every_table_of_binance_reads_and_its_cums_follow_from_its_floors(data_folder: Path) -> None:
    tables = tables_of_binance(data_folder)
    assert len(tables) == 349
    btc = tables["BTC/USDT:USDT"]
    assert btc.max_leverage == 125
    assert btc.max_value(20) == D("100000000")
    assert btc.maintenance_margin(D("49999")) == D("199.996")


def test_table_in_the_form_of_coin_margined_contracts_reads_with_its_misspelt_floor() -> None:
    rows = [{"bracket": 1, "initialLeverage": 125, "qtyCap": 50, "qtylFloor": 0, "maintMarginRatio": 0.004, "cum": 0},
            {"bracket": 2, "initialLeverage": 50, "qtyCap": 100, "qtyFloor": 50, "maintMarginRatio": 0.01, "cum": 0.3}]
    assert BracketTable.from_binance(rows).max_value(100) == D(50)


@pytest.mark.parametrize(("change", "words"), [
    ({"cum": "1"}, "must have floor 50 and cum"), ({"notionalFloor": "40"}, "must have floor 50"),
    ({"maintMarginRatio": "0.001"}, "higher cap and ratio"), ({"initialLeverage": "200"}, "lower leverage"),
    ({"notionalCap": "x"}, "line of leverageBracket")])
def test_table_that_does_not_add_up_is_refused(change: dict[str, str], words: str) -> None:
    first = {"bracket": "1", "initialLeverage": "125", "notionalCap": "50", "notionalFloor": "0",
             "maintMarginRatio": "0.004", "cum": "0"}
    second = {"bracket": "2", "initialLeverage": "50", "notionalCap": "100", "notionalFloor": "50",
              "maintMarginRatio": "0.01", "cum": "0.3"}
    with pytest.raises(InputError, match=words):
        BracketTable.from_binance([first, {**second, **change}])


def test_line_without_a_floor_and_empty_table_are_refused() -> None:
    with pytest.raises(InputError, match="leverageBracket"):
        BracketTable.from_binance([{"bracket": "1", "initialLeverage": "5"}])
    with pytest.raises(InputError, match="floor of 0"):
        BracketTable(())


def test_every_shipped_instrument_has_a_table() -> None:
    for instrument in InstrumentCatalog.shipped():
        table = shipped_brackets(instrument)
        assert table.max_value(1) == table.brackets[-1].cap


@given(st.sampled_from([BTC.brackets, COIN.brackets]), st.data())
def test_maintenance_margin_is_continuous_and_rises_with_value(table: BracketTable, data: st.DataObject) -> None:
    caps = [bracket.cap for bracket in table.brackets]
    cap = data.draw(st.sampled_from(caps))
    step = cap * D("1e-12")
    at, above = table.maintenance_margin(cap), table.maintenance_margin(cap + step)
    assert Decimal(0) < above - at <= step
    values = sorted(data.draw(st.lists(st.decimals(0, caps[-1], places=8), min_size=2, max_size=2)))
    assert table.maintenance_margin(values[0]) <= table.maintenance_margin(values[1])


def test_leverage_that_no_bracket_allows_has_no_room() -> None:
    assert BTC.brackets.max_value(126) == 0

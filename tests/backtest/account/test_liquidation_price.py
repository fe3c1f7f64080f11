"""Liquidation prices: known answers, and what defines them: at that price the margin left is exactly zero."""

from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from backtest.account.brackets import BracketTable
from backtest.account.liquidation_price import Leg, liquidation_price
from sluice.decimals import MONEY, ONE, ZERO
from tests.backtest.account.builders import BTC, COIN, D, one_bracket


def with_cum(ratio: str, cum: str, low: str) -> BracketTable:
    """Return a table whose second bracket has this ratio and cum: its floor is cum / (ratio - low)."""
    floor = D(cum) / (D(ratio) - D(low))
    return BracketTable.from_rows([(125, floor, D(low)), (20, D("1e12"), D(ratio))])


@pytest.mark.parametrize(("quantity", "entry", "wallet", "other_margin", "other_pnl", "table", "expected"), [
    ("3683.979", "1456.84", "1535443.01", "71200.81144", "-56354.57", with_cum("0.10", "135365", "0.05"), "1153.26"),
    ("109.488", "32481.98", "1535443.01", "356512.508", "-448192.89", with_cum("0.025", "16300", "0.01"), "26316.89"),
])
def test_known_answers_of_usd_margined_contracts(
        quantity: str, entry: str, wallet: str, other_margin: str, other_pnl: str, table: BracketTable,
        expected: str) -> None:
    balance = D(wallet) - D(other_margin) + D(other_pnl)
    found = liquidation_price([Leg(D(quantity), D(entry))], balance, table, inverse=False)
    assert found.quantize(D("0.01")) == D(expected)


def test_known_answer_of_a_coin_margined_contract() -> None:
    table = with_cum("0.125", "11.605", "0.05")
    found = liquidation_price([Leg(D(100000) * 100, D(45000))], D(101), table, inverse=True)
    assert found.quantize(D("0.1")) == D("33599.4")


def test_known_answer_by_hand_in_each_direction() -> None:
    table = one_bracket("0.01")
    assert liquidation_price([Leg(D(1), D(100))], D(10), table, inverse=False) == MONEY.divide(D(90), D("0.99"))
    assert liquidation_price([Leg(D(-1), D(100))], D(10), table, inverse=False) == MONEY.divide(D(110), D("1.01"))


def test_what_no_price_can_ruin_has_no_liquidation_price() -> None:
    table = one_bracket("0.01")
    assert liquidation_price([], D(10), table, inverse=False) == ZERO
    assert liquidation_price([Leg(D(1), D(100))], D(100), table, inverse=False) == ZERO
    # One coin of dollars sold against one coin: whatever the price, the dollars are there.
    assert liquidation_price([Leg(D(-100), D(100))], D(1), table, inverse=True) == ZERO


prices = st.decimals("10", "200000", places=1)
amounts = st.decimals("0.001", "500", places=3)


def margin_left(legs: list[Leg], balance: Decimal, table: BracketTable, price: Decimal, *, inverse: bool) -> Decimal:
    left = balance
    for leg in legs:
        gain = ONE / leg.entry_price - ONE / price if inverse else price - leg.entry_price
        value = abs(leg.signed_size) / price if inverse else abs(leg.signed_size) * price
        left += leg.signed_size * gain - table.maintenance_margin(value)
    return left


@given(amounts, st.sampled_from([1, -1]), prices, st.decimals("0.01", "0.9", places=4), st.booleans())
def test_one_position_is_liquidated_where_its_margin_is_used_up(
        amount: Decimal, sign: int, entry: Decimal, share: Decimal, inverse: bool) -> None:
    table = (COIN if inverse else BTC).brackets
    size = sign * amount * (entry if inverse else 1)
    value = abs(size) / entry if inverse else abs(size) * entry
    balance = value * share
    legs = [Leg(size, entry)]
    found = liquidation_price(legs, balance, table, inverse=inverse)
    if not found:
        # Only a short of an inverse contract can be safe here, with nearly its whole value in the wallet.
        assert inverse
        assert sign < 0
        return
    left = margin_left(legs, balance, table, found, inverse=inverse)
    assert abs(left) <= D("1e-8") * max(value, ONE)
    worse, better = found * (1 - sign * D("0.001")), found * (1 + sign * D("0.001"))
    assert margin_left(legs, balance, table, worse, inverse=inverse) < ZERO
    assert margin_left(legs, balance, table, better, inverse=inverse) > ZERO


@given(amounts, amounts, prices, prices, st.decimals("0.02", "0.5", places=4), st.booleans())
def test_hedged_pair_is_liquidated_where_its_margin_is_used_up(
        long: Decimal, short: Decimal, long_entry: Decimal, short_entry: Decimal, share: Decimal,
        inverse: bool) -> None:
    table = (COIN if inverse else BTC).brackets
    scale = long_entry if inverse else ONE
    legs = [Leg(long * scale, long_entry), Leg(-short * scale, short_entry)]
    balance = (long + short) * (ONE if inverse else long_entry) * share
    assume(margin_left(legs, balance, table, long_entry, inverse=inverse) > ZERO)
    found = liquidation_price(legs, balance, table, inverse=inverse)
    if found:
        scale_of_money = balance + abs(legs[0].signed_size) * (ONE / found if inverse else found)
        assert abs(margin_left(legs, balance, table, found, inverse=inverse)) <= D("1e-8") * max(scale_of_money, ONE)
        assert (found < long_entry) is (long > short or (long == short and inverse))


@given(amounts, prices, st.decimals("0.05", "0.5", places=4))
def test_more_margin_moves_a_long_positions_price_down(amount: Decimal, entry: Decimal, share: Decimal) -> None:
    legs, value = [Leg(amount, entry)], amount * entry
    less = liquidation_price(legs, value * share, BTC.brackets, inverse=False)
    more = liquidation_price(legs, value * share * 2, BTC.brackets, inverse=False)
    assert more < less or more == ZERO

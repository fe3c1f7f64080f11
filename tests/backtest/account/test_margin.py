"""Margin figures by hand, and which orders fit."""

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest.account import Contract, OpenOrder, assumed_price, booked, check_notional
from backtest.account.refusals import MARGIN_INSUFFICIENT, POSITION_TOO_LARGE
from sluice.decimals import ZERO
from sluice.orders import PositionSide, Side
from tests.backtest.account.builders import (
    BTC,
    COIN_POOL,
    USDT,
    D,
    a_fill,
    a_proposal,
    an_account,
    an_open_order,
    one_bracket,
)

MARKS = {"BTCUSDT": D(50000), "ETHUSDT": D(2000), "BTCUSD_PERP": D(50000)}


def test_figures_of_a_cross_position_and_its_orders() -> None:
    account = an_account()
    a_fill(account, Side.BUY, "1", "49000")
    account.put_order(an_open_order(1, Side.BUY, "0.5", "48000"))
    account.put_order(an_open_order(2, Side.SELL, "1", "52000"))
    figures = account.figures(USDT, MARKS)
    row = figures.positions[0]
    assert figures.wallet_balance == D(10000) - D("24.5")
    assert figures.unrealised_pnl == D(1000)
    assert row.position_initial_margin == D(2500)
    # max(|50000 + 24000|, |50000 - 52000|) is reached by the buys.
    assert row.open_order_initial_margin == D(1200)
    assert row.maintenance_margin == D(200)
    assert figures.available_balance == D("9975.5") + 1000 - 2500 - 1200
    assert figures.max_withdraw == D("9975.5") - 2500 - 1200


@pytest.mark.needs("data")
def test_figures_are_those_of_the_official_example(data_folder: Path) -> None:
    """The documented positionRisk row: every figure follows from quantity, entry, mark, leverage 20 and a maker fee."""
    path = data_folder / "captures/binance_api_examples/usds/rest/position_information_v3.json"
    shown = json.loads(path.read_text())["response"][0]
    contract = Contract(replace(BTC.instrument, symbol=shown["symbol"]), one_bracket("0.0065"))
    account = an_account(contracts={shown["symbol"]: contract})
    a_fill(account, Side.BUY, shown["positionAmt"], shown["entryPrice"], symbol=shown["symbol"], maker=True)
    row = account.figures_of(shown["symbol"], PositionSide.BOTH, D(shown["markPrice"]))
    assert row.held.break_even_price == D(shown["breakEvenPrice"])
    assert row.unrealised_pnl == D(shown["unRealizedProfit"])
    assert row.signed_value == D(shown["notional"])
    assert booked(row.initial_margin) == D(shown["initialMargin"])
    assert booked(row.position_initial_margin) == D(shown["positionInitialMargin"])
    assert booked(row.maintenance_margin) == D(shown["maintMargin"])


def test_orders_of_hedge_mode_count_only_where_they_open() -> None:
    account = an_account(hedge=True)
    a_fill(account, Side.BUY, "1", "50000", position_side=PositionSide.LONG)
    account.put_order(an_open_order(1, Side.SELL, "1", "52000", position_side=PositionSide.LONG))
    account.put_order(an_open_order(2, Side.SELL, "1", "52000", position_side=PositionSide.SHORT))
    long, short = account.figures(USDT, MARKS).positions
    assert long.open_order_initial_margin == ZERO
    assert short.open_order_initial_margin == D(2600)


def test_inverse_figures_are_in_coin() -> None:
    account = an_account(btc="1")
    a_fill(account, Side.SELL, "100", "40000", symbol="BTCUSD_PERP")
    row = account.figures(COIN_POOL, MARKS).positions[0]
    assert row.signed_value == D("-0.2")
    assert row.unrealised_pnl == D("-0.05")
    assert row.position_initial_margin == D("0.01")
    assert row.maintenance_margin == D("0.0008")


def test_wallets_of_two_products_do_not_know_each_other() -> None:
    account = an_account(usdt="0", btc="100")
    assert account.check_order(a_proposal(Side.BUY, "0.01", "50000"), MARKS) == MARGIN_INSUFFICIENT


def test_order_fits_to_the_last_of_the_wallet_and_not_beyond() -> None:
    account = an_account(usdt="2500")
    assert account.check_order(a_proposal(Side.BUY, "1", "50000"), MARKS) is None
    assert account.check_order(a_proposal(Side.BUY, "1.001", "50000"), MARKS) == MARGIN_INSUFFICIENT


def test_loss_with_which_an_order_would_start_is_part_of_its_cost() -> None:
    account = an_account(usdt="2600")
    # 51000 / 20 = 2550, and buying at 51000 what is worth 50000 loses 1000.
    assert account.check_order(a_proposal(Side.BUY, "1", "51000"), MARKS) == MARGIN_INSUFFICIENT
    assert an_account(usdt="3550").check_order(a_proposal(Side.BUY, "1", "51000"), MARKS) is None
    assert an_account(usdt="3549").check_order(a_proposal(Side.BUY, "1", "51000"), MARKS) == MARGIN_INSUFFICIENT


def test_order_that_turns_a_position_round_costs_only_what_it_adds() -> None:
    account = an_account(usdt="2600")
    a_fill(account, Side.SELL, "1", "50000")
    assert account.check_order(a_proposal(Side.BUY, "2", "50000"), MARKS) is None
    assert account.check_order(a_proposal(Side.BUY, "2.1", "50000"), MARKS) == MARGIN_INSUFFICIENT


def test_reduce_only_order_and_exit_of_an_empty_wallet_are_always_taken() -> None:
    account = an_account(usdt="2525")
    a_fill(account, Side.BUY, "1", "50000")
    marks = {"BTCUSDT": D(48000)}
    assert account.check_order(a_proposal(Side.SELL, "1", "48000"), marks) is None
    assert account.check_order(a_proposal(Side.SELL, "5", "48000", reduce_only=True), marks) is None
    assert account.check_order(a_proposal(Side.BUY, "0.01", "48000"), marks) == MARGIN_INSUFFICIENT


def test_position_larger_than_its_leverage_allows_is_refused_before_margin() -> None:
    account = an_account(usdt="1")
    assert account.set_leverage("BTCUSDT", 125, MARKS) is None
    assert account.check_order(a_proposal(Side.BUY, "2.001", "50000"), MARKS) == POSITION_TOO_LARGE
    account.put_order(an_open_order(1, Side.BUY, "1.5", "50000"))
    assert account.check_order(a_proposal(Side.BUY, "0.501", "50000"), MARKS) == POSITION_TOO_LARGE


@pytest.mark.parametrize(("side", "price", "expected"), [
    (Side.BUY, D(49000), D(49000)), (Side.BUY, None, D("50125.05")), (Side.SELL, D(49000), D("50075")),
    (Side.SELL, D(60000), D(60000)), (Side.SELL, None, D("50075"))])
def test_assumed_price_is_the_costlier_one(side: Side, price: Decimal | None, expected: Decimal) -> None:
    assert assumed_price(side, price, D(50100), D(50000), D(50010)) == expected


def test_small_orders_are_refused_unless_they_reduce() -> None:
    refused = check_notional(BTC, D("0.001"), D(50000), reduce_only=False)
    assert refused is not None
    assert (refused.code, "no smaller than 100 " in refused.message) == (-4164, True)
    assert check_notional(BTC, D("0.001"), D(50000), reduce_only=True) is None
    assert check_notional(BTC, D("0.002"), D(50000), reduce_only=False) is None


orders = st.lists(st.tuples(st.integers(1, 6), st.sampled_from(list(Side)), st.integers(1, 999), st.integers(1, 99999),
                            st.booleans()), max_size=40)


@given(orders, st.sampled_from(["BTCUSDT", "BTCUSD_PERP"]))
def test_sums_of_open_orders_are_those_of_the_orders_that_are_left(
        steps: list[tuple[int, Side, int, int, bool]], symbol: str) -> None:
    kept, fresh = an_account(), an_account()
    left: dict[int, OpenOrder] = {}
    for order_id, side, quantity, price, gone in steps:
        if gone:
            kept.drop_order(symbol, order_id)
            left.pop(order_id, None)
        else:
            left[order_id] = an_open_order(order_id, side, str(quantity), str(price), symbol=symbol)
            kept.put_order(left[order_id])
    for order in left.values():
        fresh.put_order(order)
    both = PositionSide.BOTH
    assert kept.state.open_orders.totals(symbol, both) == fresh.state.open_orders.totals(symbol, both)

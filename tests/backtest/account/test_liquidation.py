"""Liquidation from the breach to the last settlement: who loses, who pays, and that nothing appears or vanishes."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest.account import Account, FillEffect, IncomeKind
from backtest.account.deleveraging import deleverage, fund_bears, quantile, ranking
from backtest.account.liquidation import LiquidationOrder, LiquidationPlan, Settlement, bankruptcy_price
from sluice.decimals import ZERO
from sluice.orders import PositionSide, Side
from tests.backtest.account.builders import (
    COIN_POOL,
    CONTRACTS,
    NO_FEES,
    NOW_MS,
    STEP,
    USDT,
    D,
    a_fill,
    an_account,
    an_open_order,
)

BOTH, LONG, SHORT = PositionSide.BOTH, PositionSide.LONG, PositionSide.SHORT


def opposite(side: Side) -> Side:
    return Side.SELL if side is Side.BUY else Side.BUY


def closed(account: Account, order: LiquidationOrder, quantity: Decimal, price: Decimal) -> FillEffect:
    return a_fill(account, order.side, quantity, price, symbol=order.symbol, position_side=order.position_side,
                  fee_rate=ZERO)


def taken_over(account: Account, fund: Account, plan: LiquidationPlan) -> list[FillEffect]:
    """Let the fund take every position of a plan at its bankruptcy price."""
    effects = []
    for order in plan.orders:
        effects.append(closed(account, order, order.quantity, order.bankruptcy_price))
        a_fill(fund, opposite(order.side), order.quantity, order.bankruptcy_price, symbol=order.symbol, fee_rate=ZERO)
    return effects


def settled(account: Account, fund: Account, plan: LiquidationPlan, effects: list[FillEffect]) -> Settlement:
    settlement = account.settle_liquidation(plan, effects, NOW_MS)
    if settlement.to_fund:
        fund.insure(settlement.pool, settlement.to_fund, NOW_MS)
    return settlement


def test_position_is_liquidated_at_its_price_and_not_before() -> None:
    account = an_account(usdt="2500", fees=NO_FEES)
    a_fill(account, Side.BUY, "1", "50000")
    figures = account.figures(USDT, {"BTCUSDT": D(50000)})
    price = account.liquidation_price(figures, figures.positions[0])
    assert price.quantize(D("0.01")) == D("47690.76")
    assert account.breaches(USDT, {"BTCUSDT": price + D("0.01")}) == ()
    breach, = account.breaches(USDT, {"BTCUSDT": price - D("0.01")})
    assert (breach.symbol, breach.pool) == (None, USDT)


def test_what_is_near_its_liquidation_is_found_before_it() -> None:
    account = an_account(usdt="2500", fees=NO_FEES)
    a_fill(account, Side.BUY, "1", "50000")
    # 190.8 to keep of 250 left (0.763), then of 230 left (0.829).
    assert account.breaches(USDT, {"BTCUSDT": D(47750)}, D("0.8")) == ()
    near, = account.breaches(USDT, {"BTCUSDT": D(47730)}, D("0.8"))
    assert (near.margin_balance, near.maintenance_margin) == (D(230), D("190.92"))
    assert account.breaches(USDT, {"BTCUSDT": D(47730)}) == ()


def test_cross_breach_cancels_the_wallets_orders_and_closes_every_cross_position_at_its_bankruptcy_price() -> None:
    account = an_account(usdt="2500", btc="10", fees=NO_FEES)
    a_fill(account, Side.BUY, "0.6", "50000")
    a_fill(account, Side.SELL, "10", "2000", symbol="ETHUSDT")
    account.put_order(an_open_order(1, Side.BUY, "0.1", "45000"))
    account.put_order(an_open_order(2, Side.BUY, "1", "45000", symbol="BTCUSD_PERP"))
    marks = {"BTCUSDT": D(47500), "ETHUSDT": D(2095)}
    breach, = account.breaches(USDT, marks)
    plan = account.plan_liquidation(breach, marks)
    assert plan.cancel_symbols == ("BTCUSDT",)
    long, short = plan.orders
    assert (long.symbol, long.side, long.quantity) == ("BTCUSDT", Side.SELL, D("0.6"))
    assert (short.symbol, short.side, short.quantity) == ("ETHUSDT", Side.BUY, D(10))
    assert long.bankruptcy_price < 47500
    assert short.bankruptcy_price > 2095
    lost = D("0.6") * (50000 - long.bankruptcy_price) + 10 * (short.bankruptcy_price - 2000)
    # Rounding to the tick leaves a little of the wallet, at most a tick of each position.
    assert ZERO <= 2500 - lost <= D("0.6") * D("0.1") + 10 * D("0.01")


def test_isolated_breach_costs_its_own_margin_and_nothing_else() -> None:
    account, fund = an_account(fees=NO_FEES), an_account(usdt="100000", fees=NO_FEES)
    assert account.set_margin_type("BTCUSDT", isolated=True) is None
    a_fill(account, Side.BUY, "1", "50000")
    a_fill(account, Side.BUY, "1", "2000", symbol="ETHUSDT")
    account.put_order(an_open_order(1, Side.SELL, "0.1", "60000"))
    marks = {"BTCUSDT": D(47600), "ETHUSDT": D(2000)}
    breach, = account.breaches(USDT, marks)
    assert (breach.symbol, breach.position_side) == ("BTCUSDT", BOTH)
    plan = account.plan_liquidation(breach, marks)
    assert plan.cancel_symbols == ("BTCUSDT",)
    assert [(order.symbol, order.bankruptcy_price) for order in plan.orders] == [("BTCUSDT", D(47500))]
    settlement = settled(account, fund, plan, taken_over(account, fund, plan))
    assert settlement.to_fund == ZERO
    assert account.wallet_balance(USDT) == D(7500)
    assert account.position("ETHUSDT", BOTH).quantity == D(1)
    assert fund.position("BTCUSDT", BOTH).quantity == D(1)


def test_better_price_than_bankruptcy_pays_the_fee_and_the_rest_is_given_back() -> None:
    account, fund = an_account(usdt="2500", fees=NO_FEES), an_account(fees=NO_FEES)
    a_fill(account, Side.BUY, "1", "50000")
    marks = {"BTCUSDT": D(47690)}
    plan = account.plan_liquidation(account.breaches(USDT, marks)[0], marks)
    effects = [closed(account, plan.orders[0], D(1), D(49000))]
    settlement = settled(account, fund, plan, effects)
    assert settlement.to_fund == D(49000) * D("0.0125")
    assert account.wallet_balance(USDT) == D(1500) - D("612.5")
    assert account.income[-1].kind is IncomeKind.INSURANCE_CLEAR
    assert fund.wallet_balance(USDT) == D("10612.5")


def test_gap_through_the_bankruptcy_price_is_the_funds_loss() -> None:
    account, fund = an_account(usdt="2500", fees=NO_FEES), an_account(usdt="5000", fees=NO_FEES)
    a_fill(account, Side.BUY, "1", "50000")
    marks = {"BTCUSDT": D(46000)}
    plan = account.plan_liquidation(account.breaches(USDT, marks)[0], marks)
    assert plan.orders[0].bankruptcy_price == D(47500)
    assert fund_bears(fund.state, plan.orders[0], D(1), marks)
    settled(account, fund, plan, taken_over(account, fund, plan))
    assert account.wallet_balance(USDT) == ZERO
    assert fund.figures(USDT, marks).margin_balance == D(3500)


def test_wallet_below_zero_is_filled_up_by_the_fund() -> None:
    account, fund = an_account(usdt="2500", fees=NO_FEES), an_account(usdt="5000", fees=NO_FEES)
    a_fill(account, Side.BUY, "1", "50000")
    marks = {"BTCUSDT": D(47600)}
    plan = account.plan_liquidation(account.breaches(USDT, marks)[0], marks)
    settlement = settled(account, fund, plan, [closed(account, plan.orders[0], D(1), D(47000))])
    assert settlement.to_fund == D(-500)
    assert (account.wallet_balance(USDT), fund.wallet_balance(USDT)) == (ZERO, D(4500))


def test_where_the_fund_cannot_the_most_leveraged_winners_close_at_the_bankruptcy_price() -> None:
    loser, fund = an_account(usdt="2500", fees=NO_FEES), an_account(usdt="100", fees=NO_FEES)
    bold, calm = an_account(usdt="3000", fees=NO_FEES), an_account(usdt="50000", fees=NO_FEES)
    a_fill(loser, Side.BUY, "1", "50000")
    a_fill(bold, Side.SELL, "0.7", "50000")
    a_fill(calm, Side.SELL, "0.3", "50000")
    accounts = {"bold": bold, "calm": calm, "loser": loser}
    marks = {"BTCUSDT": D(46000)}
    plan = loser.plan_liquidation(loser.breaches(USDT, marks)[0], marks)
    order = plan.orders[0]
    assert not fund_bears(fund.state, order, order.quantity, marks)
    states = {name: account.state for name, account in accounts.items()}
    queue = ranking(states, "BTCUSDT", marks, long=False)
    assert [entry.account for entry in queue] == ["bold", "calm"]
    assert [quantile(queue, name, BOTH) for name in ("bold", "calm", "loser")] == [2, 0, 0]
    closings, left = deleverage(queue, order.quantity)
    assert left == ZERO
    assert [(c.account, c.side, c.quantity) for c in closings] == [
        ("bold", Side.BUY, D("0.7")), ("calm", Side.BUY, D("0.3"))]
    before = sum((account.figures(USDT, marks).margin_balance for account in accounts.values()), ZERO)
    effects = [closed(loser, order, order.quantity, order.bankruptcy_price)]
    for closing in closings:
        a_fill(accounts[closing.account], closing.side, closing.quantity, order.bankruptcy_price, fee_rate=ZERO)
    settled(loser, fund, plan, effects)
    assert loser.wallet_balance(USDT) == ZERO
    assert sum((account.wallet_balance(USDT) for account in accounts.values()), ZERO) == before
    assert all(not account.held() for account in accounts.values())


def test_what_nobody_is_left_to_take_is_said() -> None:
    winner = an_account()
    a_fill(winner, Side.SELL, "0.3", "50000")
    queue = ranking({"winner": winner.state}, "BTCUSDT", {"BTCUSDT": D(46000)}, long=False)
    closings, left = deleverage(queue, D(1))
    assert (closings[0].quantity, left) == (D("0.3"), D("0.7"))


def test_losers_of_the_other_side_come_last_and_safest_first_among_them() -> None:
    accounts = {}
    for name, usdt, price in (("loss", "5000", "45000"), ("small loss", "5000", "47900"), ("win", "5000", "50000")):
        accounts[name] = an_account(usdt=usdt, fees=NO_FEES)
        a_fill(accounts[name], Side.SELL, "0.5", price)
    states = {name: account.state for name, account in accounts.items()}
    queue = ranking(states, "BTCUSDT", {"BTCUSDT": D(48000)}, long=False)
    assert [entry.account for entry in queue] == ["win", "small loss", "loss"]


def test_inverse_short_with_more_margin_than_value_has_no_bankruptcy_price() -> None:
    account = an_account(btc="1", fees=NO_FEES)
    held = a_fill(account, Side.SELL, "100", "50000", symbol="BTCUSD_PERP").after
    assert bankruptcy_price(held, D(50000), D(1)) == D(50000)
    assert bankruptcy_price(held, D(50000), D("0.1")).quantize(D("0.01")) == D("100000.00")


@pytest.mark.parametrize("isolated", [False, True])
def test_inverse_liquidation_costs_the_margin_in_coin(isolated: bool) -> None:
    account, fund = an_account(btc="0.1", fees=NO_FEES), an_account(fees=NO_FEES)
    assert not isolated or account.set_margin_type("BTCUSD_PERP", isolated=True) is None
    a_fill(account, Side.BUY, "1000", "50000", symbol="BTCUSD_PERP")
    marks = {"BTCUSD_PERP": D(45600)}
    breach, = account.breaches(COIN_POOL, {"BTCUSD_PERP": D(45400)} if not isolated else {"BTCUSD_PERP": D(47700)})
    plan = account.plan_liquidation(breach, marks)
    settled(account, fund, plan, taken_over(account, fund, plan))
    assert account.wallet_balance(COIN_POOL) == ZERO
    assert account.held() == []


markets = st.decimals("30000", "70000", places=1)


@given(st.lists(st.tuples(st.sampled_from(sorted(CONTRACTS)), st.sampled_from([LONG, SHORT]), st.integers(1, 800)),
                min_size=1, max_size=6),
       markets, markets, markets, st.booleans(), st.decimals("-0.002", "0.002", places=4),
       st.decimals("0", "1", places=2))
def test_money_is_conserved_through_a_liquidation(
        opened: list[tuple[str, PositionSide, int]], entry: Decimal, mark: Decimal, coin_mark: Decimal,
        isolated: bool, slip: Decimal, share: Decimal) -> None:
    """The account, the fund and whoever bought in the market have the same money after as before."""
    account = an_account(usdt="1500", btc="0.05", fees=NO_FEES, hedge=True)
    market, fund = an_account(fees=NO_FEES), an_account(fees=NO_FEES)
    for symbol in CONTRACTS:
        assert not isolated or account.set_margin_type(symbol, isolated=True) is None
    for symbol, side, lots in opened:
        quantity = D(lots) if symbol == "BTCUSD_PERP" else D(lots) / 1000
        buys = Side.BUY if side is LONG else Side.SELL
        a_fill(account, buys, quantity, entry, symbol=symbol, position_side=side)
        a_fill(market, opposite(buys), quantity, entry, symbol=symbol)
    marks = {"BTCUSDT": mark, "ETHUSDT": mark, "BTCUSD_PERP": coin_mark}
    for pool in (USDT, COIN_POOL):
        everyone = (account, market, fund)
        before = sum((one.figures(pool, marks).margin_balance for one in everyone), ZERO)
        bookings = 1
        for breach in account.breaches(pool, marks):
            plan = account.plan_liquidation(breach, marks)
            effects = []
            for order in plan.orders:
                step = CONTRACTS[order.symbol].instrument.lot_size
                sold = (order.quantity * share // step) * step
                for part, taker, price in ((sold, market, order.bankruptcy_price * (1 + slip)),
                                           (order.quantity - sold, fund, order.bankruptcy_price)):
                    if part:
                        effects.append(closed(account, order, part, price))
                        a_fill(taker, opposite(order.side), part, price, symbol=order.symbol)
                        bookings += 2
            settled(account, fund, plan, effects)
            if breach.symbol is None:
                assert account.cross_wallet_balance(pool) >= ZERO
            assert all(not account.position(o.symbol, o.position_side).quantity for o in plan.orders)
        after = sum((one.figures(pool, marks).margin_balance for one in everyone), ZERO)
        assert abs(after - before) <= STEP * bookings


def a_book_of_positions(opened: list[tuple[str, PositionSide, int]], entry: Decimal, *, isolated: bool) -> Account:
    account = an_account(usdt="1500", btc="0.05", fees=NO_FEES, hedge=True)
    for symbol in CONTRACTS:
        assert not isolated or account.set_margin_type(symbol, isolated=True) is None
    for symbol, side, lots in opened:
        quantity = D(lots) if symbol == "BTCUSD_PERP" else D(lots) / 1000
        a_fill(account, Side.BUY if side is LONG else Side.SELL, quantity, entry, symbol=symbol, position_side=side)
    return account


positions = st.lists(st.tuples(st.sampled_from(sorted(CONTRACTS)), st.sampled_from([LONG, SHORT]), st.integers(1, 99)),
                     min_size=1, max_size=6)


@given(positions, markets, markets, st.booleans())
def test_breaches_are_those_that_the_figures_show(
        opened: list[tuple[str, PositionSide, int]], entry: Decimal, mark: Decimal, isolated: bool) -> None:
    account, marks = a_book_of_positions(opened, entry, isolated=isolated), dict.fromkeys(CONTRACTS, mark)
    for pool in (USDT, COIN_POOL):
        figures = account.figures(pool, marks)
        shown = {(r.held.symbol, r.held.side) for r in figures.positions
                 if r.isolated and r.isolated_margin <= r.maintenance_margin}
        if ZERO < figures.cross_maintenance_margin >= figures.cross_margin_balance:
            shown.add((None, None))  # type: ignore[arg-type]  # how the cross pool is named
        assert {(b.symbol, b.position_side) for b in account.breaches(pool, marks)} == shown


@given(positions, markets, markets, st.booleans())
def test_account_is_at_its_maintenance_margin_where_its_liquidation_price_is_the_mark(
        opened: list[tuple[str, PositionSide, int]], entry: Decimal, mark: Decimal, isolated: bool) -> None:
    account, marks = a_book_of_positions(opened, entry, isolated=isolated), dict.fromkeys(CONTRACTS, mark)
    for pool in (USDT, COIN_POOL):
        figures = account.figures(pool, marks)
        for row in figures.positions:
            price = account.liquidation_price(figures, row)
            if not price:
                continue
            there = account.figures(pool, {**marks, row.held.symbol: price})
            at = next(r for r in there.positions if r.held == row.held)
            left = (at.isolated_margin - at.maintenance_margin if isolated
                    else there.cross_margin_balance - there.cross_maintenance_margin)
            assert abs(left) <= D("1e-8") * max(D(1), abs(at.signed_value))

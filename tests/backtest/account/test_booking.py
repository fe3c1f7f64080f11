"""Fills and funding: amounts by hand, and what must hold whatever happens."""


import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest.account import Account, IncomeKind
from sluice.decimals import ZERO
from sluice.errors import InvariantError, NotFoundError
from sluice.orders import PositionSide, Side
from sluice.positions import Position, trade_fee
from tests.backtest.account.builders import (
    BTC,
    COIN,
    COIN_POOL,
    CONTRACTS,
    FEES,
    NOW_MS,
    STEP,
    USDT,
    D,
    Funding,
    Trade,
    a_fill,
    an_account,
    an_open_order,
    steps,
    trades,
)

LONG, SHORT, BOTH = PositionSide.LONG, PositionSide.SHORT, PositionSide.BOTH


def test_round_trip_by_hand() -> None:
    account = an_account(usdt="1000")
    opened = a_fill(account, Side.BUY, "0.1", "50000", maker=True)
    assert (opened.realised_pnl, opened.commission, opened.wallet_balance) == (ZERO, D(1), D(999))
    closed = a_fill(account, Side.SELL, "0.1", "51000")
    assert (closed.realised_pnl, closed.commission) == (D(100), D("2.55"))
    assert account.wallet_balance(USDT) == D("1096.45")
    assert closed.after.quantity == ZERO
    assert [(row.kind, row.amount) for row in account.income[2:]] == [
        (IncomeKind.COMMISSION, D(-1)), (IncomeKind.REALISED_PNL, D(100)), (IncomeKind.COMMISSION, D("-2.55"))]
    assert [row.transaction_id for row in account.income] == [1, 2, 3, 4, 5]


def test_inverse_round_trip_is_paid_in_coin() -> None:
    account = an_account(btc="1")
    a_fill(account, Side.BUY, "100", "50000", symbol="BTCUSD_PERP")
    closed = a_fill(account, Side.SELL, "100", "40000", symbol="BTCUSD_PERP")
    assert closed.realised_pnl == D("-0.05")
    assert account.wallet_balance(COIN_POOL) == D(1) - D("0.05") - D("0.0001") - D("0.000125")


def test_break_even_price_bears_what_was_paid_and_earned() -> None:
    account = an_account(hedge=False)
    bought = a_fill(account, Side.BUY, "30", "0.385", maker=True, symbol="ETHUSDT")
    assert bought.after.break_even_price == D("0.385077")
    reduced = a_fill(account, Side.SELL, "15", "0.395", maker=True, fee_rate=ZERO, symbol="ETHUSDT")
    # 15 * 0.01 earned less 0.00231 paid, over the 15 that are left.
    assert reduced.after.break_even_price == D("0.385") - (D("0.15") - D("0.00231")) / 15
    turned = a_fill(account, Side.SELL, "45", "0.4", maker=True, symbol="ETHUSDT")
    assert turned.after.break_even_price == D("0.4") * (1 - D("0.0002"))


def test_break_even_price_of_an_inverse_position_pays_its_fee_back() -> None:
    held = a_fill(an_account(), Side.BUY, "100", "50000", symbol="BTCUSD_PERP").after
    assert abs(held.unrealised_pnl(held.break_even_price) - D("0.0001")) < D("1e-20")


def test_isolated_margin_comes_and_goes_with_the_position() -> None:
    account = an_account(usdt="10000")
    assert account.set_margin_type("BTCUSDT", isolated=True) is None
    opened = a_fill(account, Side.BUY, "1", "50000")
    assert opened.after.isolated_wallet == D(2500)
    assert (opened.wallet_balance, opened.cross_wallet_balance) == (D(9975), D(7475))
    reduced = a_fill(account, Side.SELL, "0.4", "50500", fee_rate=ZERO)
    assert reduced.after.isolated_wallet == D(1500)
    assert reduced.cross_wallet_balance == D(7475) + D(1000) + D(200)
    turned = a_fill(account, Side.SELL, "1", "50000", fee_rate=ZERO)
    assert turned.after.quantity == D("-0.4")
    assert turned.after.isolated_wallet == D(1000)
    closed = a_fill(account, Side.BUY, "0.4", "50000", fee_rate=ZERO)
    assert closed.after.isolated_wallet == ZERO
    assert closed.cross_wallet_balance == closed.wallet_balance


def test_isolated_margin_never_makes_the_cross_wallet_owe() -> None:
    account = an_account(usdt="1000")
    assert account.set_margin_type("BTCUSDT", isolated=True) is None
    opened = a_fill(account, Side.BUY, "1", "50000")
    assert (opened.after.isolated_wallet, opened.cross_wallet_balance) == (D(975), ZERO)


def test_longs_pay_shorts_where_the_rate_is_positive() -> None:
    account = an_account(hedge=True)
    a_fill(account, Side.BUY, "2", "50000", position_side=LONG)
    a_fill(account, Side.SELL, "1", "50000", position_side=SHORT)
    before = account.wallet_balance(USDT)
    long, short = account.apply_funding("BTCUSDT", D("0.0001"), D(40000), NOW_MS)
    assert (long.payment, short.payment) == (D(-8), D(4))
    assert account.wallet_balance(USDT) == before - 4
    assert account.income[-1].kind is IncomeKind.FUNDING_FEE
    assert not long.isolated


def test_funding_of_an_isolated_position_is_paid_from_its_margin() -> None:
    account = an_account()
    assert account.set_margin_type("BTCUSDT", isolated=True) is None
    a_fill(account, Side.BUY, "1", "50000")
    cross = account.cross_wallet_balance(USDT)
    effect, = account.apply_funding("BTCUSDT", D("0.0001"), D(50000), NOW_MS)
    assert (effect.held.isolated_wallet, effect.cross_wallet_balance) == (D(2495), cross)


def test_funding_of_nothing_is_no_row() -> None:
    account = an_account()
    assert account.apply_funding("BTCUSDT", D("0.0001"), D(50000), NOW_MS) == ()
    a_fill(account, Side.BUY, "1", "50000")
    assert account.apply_funding("BTCUSDT", ZERO, D(50000), NOW_MS) == ()


def test_fill_that_does_not_fit_the_mode_is_a_bug_and_changes_nothing() -> None:
    one_way, hedged = an_account(), an_account(hedge=True)
    for account, side in ((one_way, LONG), (hedged, BOTH)):
        before = account.snapshot()
        with pytest.raises(InvariantError, match="position side"):
            a_fill(account, Side.BUY, "1", "50000", position_side=side)
        assert account.snapshot() == before
    with pytest.raises(InvariantError, match="must not turn"):
        a_fill(hedged, Side.SELL, "1", "50000", position_side=LONG)
    with pytest.raises(NotFoundError, match="DOGE"):
        a_fill(one_way, Side.BUY, "1", "1", symbol="DOGE")


@given(steps, st.booleans())
def test_money_between_two_accounts_only_changes_hands(drawn: list[Trade | Funding], isolated: bool) -> None:
    buyer, seller = an_account(), an_account(usdt="77.7", btc="0.3")
    for symbol in CONTRACTS:
        assert not isolated or buyer.set_margin_type(symbol, isolated=True) is None
    start = {pool: buyer.wallet_balance(pool) + seller.wallet_balance(pool) for pool in (USDT, COIN_POOL)}
    for step in drawn:
        step.play(buyer)
        step.play(seller, opposite=True)
    marks = {"BTCUSDT": D(31234), "ETHUSDT": D(45678), "BTCUSD_PERP": D(54321)}
    for pool, before in start.items():
        fees = -sum((row.amount for account in (buyer, seller) for row in account.income
                     if row.kind is IncomeKind.COMMISSION and row.pool == pool), ZERO)
        now = sum((account.figures(pool, marks).margin_balance for account in (buyer, seller)), ZERO)
        # Each booking rounds to 1e-8, half of it up or down.
        assert abs(now + fees - before) <= STEP * (len(drawn) + 1)


@given(steps, st.booleans())
def test_wallets_are_the_sum_of_their_rows_and_isolated_margin_is_part_of_them(
        drawn: list[Trade | Funding], isolated: bool) -> None:
    account = an_account(usdt="100000")
    for symbol in CONTRACTS:
        assert not isolated or account.set_margin_type(symbol, isolated=True) is None
    for step in drawn:
        step.play(account)
    for pool in (USDT, COIN_POOL):
        rows = sum((row.amount for row in account.income if row.pool == pool), ZERO)
        assert account.wallet_balance(pool) == rows
        assert rows % STEP == ZERO
        set_aside = sum((held.isolated_wallet for held in account.held(pool)), ZERO)
        assert account.cross_wallet_balance(pool) + set_aside == rows
        assert isolated or set_aside == ZERO
    assert all(account.position(symbol, BOTH).isolated_wallet == ZERO for symbol in CONTRACTS
               if not account.position(symbol, BOTH).quantity)


@given(st.lists(trades, max_size=30))
def test_one_way_account_counts_as_the_shared_position_does(drawn: list[Trade]) -> None:
    account = an_account(usdt="100000")
    for trade in drawn:
        trade.play(account)
    for contract in (BTC, COIN):
        expected = Position(contract.instrument)
        rates = FEES[contract.instrument.venue]
        for trade in drawn:
            if trade.symbol == contract.instrument.symbol:
                rate = rates.maker if trade.maker else rates.taker
                fee = trade_fee(contract.instrument, trade.quantity, trade.price, rate)
                expected = expected.with_fill(trade.quantity * trade.side.sign, trade.price, fee)
        assert account.position(contract.instrument.symbol, BOTH).position == expected


@given(st.lists(st.tuples(trades, st.sampled_from([LONG, SHORT]), st.booleans()), max_size=30), st.booleans())
def test_hedged_account_is_two_one_way_accounts(
        drawn: list[tuple[Trade, PositionSide, bool]], isolated: bool) -> None:
    hedged = an_account(hedge=True, usdt="1e7", btc="1e5")
    parts = {side: an_account(usdt="1e7", btc="1e5") for side in (LONG, SHORT)}
    for account in (hedged, *parts.values()):
        for symbol in CONTRACTS:
            assert not isolated or account.set_margin_type(symbol, isolated=True) is None
    for trade, position_side, opens in drawn:
        side = Side.BUY if opens is (position_side is LONG) else Side.SELL
        held = abs(hedged.position(trade.symbol, position_side).quantity)
        if quantity := trade.quantity if opens else min(trade.quantity, held):
            a_fill(hedged, side, quantity, trade.price, symbol=trade.symbol, position_side=position_side)
            a_fill(parts[position_side], side, quantity, trade.price, symbol=trade.symbol)
    for pool, start in ((USDT, D("1e7")), (COIN_POOL, D("1e5"))):
        assert hedged.wallet_balance(pool) - start == sum(
            (part.wallet_balance(pool) - start for part in parts.values()), ZERO)
    for symbol in CONTRACTS:
        for position_side, part in parts.items():
            mine, theirs = hedged.position(symbol, position_side), part.position(symbol, BOTH)
            assert (mine.position, mine.isolated_wallet, mine.costs) == (
                theirs.position, theirs.isolated_wallet, theirs.costs)


@given(steps, steps)
def test_restored_account_goes_on_as_the_first_would_have(
        before: list[Trade | Funding], after: list[Trade | Funding]) -> None:
    account, restored = an_account(), Account(CONTRACTS)
    assert account.set_margin_type("ETHUSDT", isolated=True) is None
    account.put_order(an_open_order(7, Side.BUY, "0.5", "48000"))
    for step in before:
        step.play(account)
    kept = account.snapshot()
    restored.restore(kept)
    assert restored.snapshot() == kept
    for step in after:
        step.play(account)
        step.play(restored)
    assert restored.snapshot() == account.snapshot()
    marks = {symbol: D(50000) for symbol in CONTRACTS}
    assert restored.figures(USDT, marks) == account.figures(USDT, marks)


def test_oldest_rows_leave_and_the_balance_stays() -> None:
    account = Account(CONTRACTS, fees=FEES, income_kept=3)
    for _ in range(5):
        account.transfer(USDT, D(1), {}, NOW_MS)
    assert account.wallet_balance(USDT) == D(5)
    ids = [row.transaction_id for row in account.income]
    assert ids == [3, 4, 5]


def test_account_knows_when_its_money_last_changed() -> None:
    account = Account(CONTRACTS)
    assert account.updated_ms == 0
    account.transfer(USDT, D(1), {}, NOW_MS)
    account.transfer(USDT, D(1), {}, NOW_MS + 5)
    assert account.updated_ms == NOW_MS + 5

"""Settings that a client changes: each refusal has its cause, and a refusal changes nothing."""

from collections.abc import Callable

import pytest

from backtest.account import Account
from backtest.account.settings import removable_margin
from sluice.decimals import ZERO
from sluice.orders import PositionSide, Side
from tests.backtest.account.builders import COIN_POOL, NOW_MS, USDT, D, a_fill, an_account, an_open_order

MARKS = {"BTCUSDT": D(50000), "BTCUSD_PERP": D(50000)}
BOTH = PositionSide.BOTH


def with_position() -> Account:
    account = an_account()
    a_fill(account, Side.BUY, "1", "50000")
    return account


def with_order() -> Account:
    account = an_account()
    account.put_order(an_open_order(1, Side.BUY, "0.1", "40000"))
    return account


def isolated_with_position() -> Account:
    account = an_account()
    assert account.set_margin_type("BTCUSDT", isolated=True) is None
    a_fill(account, Side.BUY, "1", "50000")
    return account


Change = Callable[[Account], object]


def leverage(value: int) -> Change:
    return lambda account: account.set_leverage("BTCUSDT", value, MARKS)


def margin_type(*, isolated: bool) -> Change:
    return lambda account: account.set_margin_type("BTCUSDT", isolated=isolated)


def position_mode(*, hedge: bool) -> Change:
    return lambda account: account.set_position_mode(hedge=hedge)


def position_margin(amount: str, *, add: bool) -> Change:
    return lambda account: account.adjust_position_margin("BTCUSDT", BOTH, D(amount), MARKS, add=add, time_ms=NOW_MS)


def withdrawal(amount: str) -> Change:
    return lambda account: account.transfer(USDT, -D(amount), MARKS, NOW_MS)


@pytest.mark.parametrize(("account", "change", "code"), [
    (an_account, leverage(0), -4028), (an_account, leverage(126), -4028),
    (with_position, leverage(5), -2028), (isolated_with_position, leverage(10), -4161),
    (an_account, margin_type(isolated=False), -4046), (with_order, margin_type(isolated=True), -4047),
    (with_position, margin_type(isolated=True), -4048),
    (an_account, position_mode(hedge=False), -4059), (with_order, position_mode(hedge=True), -4067),
    (with_position, position_mode(hedge=True), -4068),
    (isolated_with_position, position_margin("0", add=True), -4055),
    (with_position, position_margin("1", add=True), -4049),
    (isolated_with_position, position_margin("7475.01", add=True), -4050),
    (isolated_with_position, position_margin("0.01", add=False), -4051),
    (with_position, withdrawal("7475.01"), -4050)])
def test_refused_change_changes_nothing(account: Callable[[], Account], change: Change, code: int) -> None:
    given = account()
    before = given.snapshot()
    refusal = change(given)
    assert getattr(refusal, "code", None) == code
    assert given.snapshot() == before


def test_margin_of_no_position_is_refused() -> None:
    account = an_account()
    assert account.set_margin_type("BTCUSDT", isolated=True) is None
    refusal = account.adjust_position_margin("BTCUSDT", BOTH, D(1), MARKS, add=True, time_ms=NOW_MS)
    assert refusal is not None
    assert refusal.code == -4054


def test_leverage_too_high_for_a_large_position_is_refused() -> None:
    account = an_account(usdt="1000000")
    a_fill(account, Side.BUY, "100", "50000")
    refusal = account.set_leverage("BTCUSDT", 75, MARKS)
    assert refusal is not None
    assert refusal.code == -2027
    assert account.set_leverage("BTCUSDT", 50, MARKS) is None


@pytest.mark.parametrize(("account", "change"), [
    (with_position, leverage(50)), (with_position, leverage(10)), (with_position, leverage(20)),
    (isolated_with_position, leverage(50)), (an_account, margin_type(isolated=True)),
    (an_account, position_mode(hedge=True)), (isolated_with_position, position_margin("7475", add=True)),
    (with_position, withdrawal("7475"))])
def test_change_that_fits_is_done(account: Callable[[], Account], change: Change) -> None:
    given = account()
    assert change(given) is None


def test_new_leverage_moves_the_margin_that_is_claimed() -> None:
    account = with_position()
    assert account.figures(USDT, MARKS).available_balance == D(7475)
    assert account.set_leverage("BTCUSDT", 10, MARKS) is None
    assert account.figures(USDT, MARKS).available_balance == D(4975)


def test_position_margin_moves_between_the_wallets() -> None:
    account = isolated_with_position()
    assert account.adjust_position_margin("BTCUSDT", BOTH, D(100), MARKS, add=True, time_ms=NOW_MS) is None
    assert account.position("BTCUSDT", BOTH).isolated_wallet == D(2600)
    assert account.cross_wallet_balance(USDT) == D(7375)
    assert removable_margin(account.state, "BTCUSDT", BOTH, MARKS) == D(100)
    assert account.adjust_position_margin("BTCUSDT", BOTH, D(100), MARKS, add=False, time_ms=NOW_MS) is None
    assert account.position("BTCUSDT", BOTH).isolated_wallet == D(2500)
    assert removable_margin(account.state, "BTCUSDT", BOTH, {"BTCUSDT": D(60000)}) == ZERO


def test_leverage_starts_at_twenty_and_is_shared_by_both_sides() -> None:
    assert an_account().settings_of("BTCUSDT").leverage == 20


def test_wallets_that_were_used_are_listed() -> None:
    assert an_account().pools == (USDT, COIN_POOL)

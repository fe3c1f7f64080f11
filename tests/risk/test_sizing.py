"""Sizing: the loss at the assumed stop stays within the risk budget, in the contract's own asset."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from risk.sizing import SizingInput, sized_quantity
from sluice.config.settings import LimitSettings
from sluice.decimals import is_multiple
from sluice.orders import Side
from sluice.positions import Position
from tests.risk.builders import BTC, CATALOG, COIN

LIMITS = LimitSettings(max_order_notional=Decimal(10**9))
LINEAR, INVERSE = CATALOG.require(BTC), CATALOG.require(COIN)


def wanted(side: Side, requested: str, atr: str, equity: str, price: str = "50000") -> SizingInput:
    return SizingInput(side, Decimal(requested), Decimal(price), Decimal(atr), Decimal(equity))


def test_a_linear_size_risks_the_stated_part_of_equity() -> None:
    # 0.002 * 100 000 = 200 USDT at a stop 3 * 100 away.
    assert sized_quantity(wanted(Side.BUY, "5", "100", "100000"), LINEAR, LIMITS) == Decimal("0.666")


def test_an_inverse_size_risks_coin_and_a_long_more_of_it_than_a_short() -> None:
    # 0.002 * 2 = 0.004 BTC; a contract of 100 USD loses 100 * (1/49 700 - 1/50 000) = 0.00001207 BTC below.
    assert sized_quantity(wanted(Side.BUY, "9999", "100", "2"), INVERSE, LIMITS) == Decimal(331)
    assert sized_quantity(wanted(Side.SELL, "9999", "100", "2"), INVERSE, LIMITS) == Decimal(335)


def test_a_stop_below_zero_leaves_nothing_of_an_inverse_long() -> None:
    assert sized_quantity(wanted(Side.BUY, "10", "20000", "2"), INVERSE, LIMITS) == 0


def test_no_equity_leaves_nothing() -> None:
    assert sized_quantity(wanted(Side.BUY, "1", "100", "0"), LINEAR, LIMITS) == 0
    assert sized_quantity(wanted(Side.BUY, "1", "100", "-5"), LINEAR, LIMITS) == 0


def test_the_notional_cap_holds_where_risk_would_allow_more() -> None:
    limits = LimitSettings(max_order_notional=Decimal(25_000))
    assert sized_quantity(wanted(Side.BUY, "5", "1", "100000"), LINEAR, limits) == Decimal("0.5")
    assert sized_quantity(wanted(Side.BUY, "9999", "1", "100"), INVERSE, limits) == Decimal(250)


@given(
    side=st.sampled_from([Side.BUY, Side.SELL]), lots=st.integers(1, 100_000), atr=st.decimals("0.1", "5000", places=1),
    equity=st.decimals("0.001", "1000", places=3), inverse=st.booleans())
def test_the_loss_at_the_stop_is_within_the_budget_and_one_lot_more_would_not_be(
    side: Side, lots: int, atr: Decimal, equity: Decimal, inverse: bool
) -> None:
    instrument = INVERSE if inverse else LINEAR
    equity = equity if inverse else equity * 1_000
    requested = lots * instrument.lot_size
    size = sized_quantity(SizingInput(side, requested, Decimal(50_000), atr, equity), instrument, LIMITS)
    assert 0 <= size <= requested
    assert is_multiple(size, instrument.lot_size)
    stop = Decimal(50_000) - side.sign * atr * 3
    budget = equity * LIMITS.risk_per_trade
    held = Position(instrument, size * side.sign, Decimal(50_000))
    assert -held.unrealised_pnl(stop) <= budget
    if size < requested:
        more = Position(instrument, (size + instrument.lot_size) * side.sign, Decimal(50_000))
        assert -more.unrealised_pnl(stop) > budget * Decimal("0.999999")

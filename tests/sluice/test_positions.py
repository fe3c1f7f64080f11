"""Positions: money is conserved, linear and inverse."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.instruments import Instrument, InstrumentCatalog
from sluice.positions import Position, average_price, trade_fee

CATALOG = InstrumentCatalog.shipped()
LINEAR = CATALOG.require("BINANCE_USDM:BTCUSDT")
INVERSE = CATALOG.require("BINANCE_COINM:BTCUSD_PERP")
NO_FEE = Decimal(0)
TINY = Fraction(1, 10**20)

FILLS = st.lists(
    st.tuples(st.integers(-500, 500).filter(bool), st.integers(500_000, 700_000)), min_size=1, max_size=30)


def signed(instrument: Instrument, lots: int) -> Decimal:
    return lots * instrument.lot_size


def after(instrument: Instrument, fills: list[tuple[int, int]], fee: Decimal = NO_FEE) -> Position:
    position = Position(instrument)
    for lots, ticks in fills:
        position = position.with_fill(signed(instrument, lots), ticks * instrument.tick_size, fee)
    return position


def cash(instrument: Instrument, fills: list[tuple[int, int]], mark: Decimal) -> Fraction:
    """Return the profit by first principles: what was paid for each fill against its worth at the mark."""
    total = Fraction(0)
    for lots, ticks in fills:
        size = Fraction(signed(instrument, lots)) * Fraction(instrument.contract_size)
        price = Fraction(ticks * instrument.tick_size)
        total += size * (1 / price - 1 / Fraction(mark)) if instrument.inverse else size * (Fraction(mark) - price)
    return total


@pytest.mark.parametrize("instrument", [LINEAR, INVERSE], ids=["linear", "inverse"])
@given(fills=FILLS, mark_ticks=st.integers(500_000, 700_000))
def test_realised_and_unrealised_add_up_to_the_cash_flow(
    instrument: Instrument, fills: list[tuple[int, int]], mark_ticks: int
) -> None:
    mark = mark_ticks * instrument.tick_size
    position = after(instrument, fills)
    total = Fraction(position.realised_pnl) + Fraction(position.unrealised_pnl(mark))
    assert abs(total - cash(instrument, fills, mark)) < TINY * 10**6
    assert position.quantity == sum((signed(instrument, lots) for lots, _ in fills), Decimal(0))


@pytest.mark.parametrize("instrument", [LINEAR, INVERSE], ids=["linear", "inverse"])
@given(fills=FILLS)
def test_a_flat_position_has_no_entry_and_no_unrealised_profit(
    instrument: Instrument, fills: list[tuple[int, int]]
) -> None:
    position = after(instrument, fills)
    closed = position.with_fill(-position.quantity, Decimal(60_000), NO_FEE) if position.quantity else position
    assert closed.quantity == closed.entry_price == closed.unrealised_pnl(Decimal(61_000)) == 0


def test_a_linear_profit_is_paid_in_the_quote_asset() -> None:
    position = Position(LINEAR).with_fill(Decimal(2), Decimal(50_000), Decimal(40))
    assert position.unrealised_pnl(Decimal(51_000)) == 2_000
    closed = position.with_fill(Decimal(-2), Decimal(51_000), Decimal("40.8"))
    assert (closed.realised_pnl, closed.fees, closed.quantity) == (Decimal(2_000), Decimal("80.8"), Decimal(0))


def test_an_inverse_profit_is_paid_in_coin() -> None:
    position = Position(INVERSE).with_fill(Decimal(100), Decimal(50_000), NO_FEE)
    assert position.unrealised_pnl(Decimal(40_000)) == Decimal("-0.05")
    assert position.notional(Decimal(40_000)) == 10_000


def test_an_inverse_entry_is_the_harmonic_mean() -> None:
    position = after(INVERSE, [(100, 400_000), (100, 600_000)])
    halves = ((Decimal(1), Decimal(40_000)), (Decimal(1), Decimal(60_000)))
    assert position.entry_price == average_price(INVERSE, halves)
    assert position.entry_price == pytest.approx(Decimal(48_000), rel=Decimal("1e-30"))


def test_a_turned_position_realises_the_old_and_enters_at_the_new_price() -> None:
    position = after(LINEAR, [(1000, 500_000), (-3000, 510_000)])
    assert (position.quantity, position.entry_price) == (Decimal(-2), Decimal(51_000))
    assert position.realised_pnl == 1_000


def test_fees_are_in_coin_for_inverse_contracts() -> None:
    assert trade_fee(LINEAR, Decimal("0.5"), Decimal(60_000), Decimal("0.0005")) == 15
    assert trade_fee(INVERSE, Decimal(-120), Decimal(60_000), Decimal("0.0005")) == Decimal("0.0001")


@given(st.integers(1, 10**6), st.integers(500_000, 700_000))
def test_a_fee_is_booked_to_eight_decimals(lots: int, ticks: int) -> None:
    fee = trade_fee(INVERSE, Decimal(lots), ticks * INVERSE.tick_size, Decimal("0.0005"))
    assert fee == round(fee, 8)
    assert abs(fee - Decimal(lots) * 100 / (ticks * INVERSE.tick_size) * Decimal("0.0005")) <= Decimal("0.000000005")

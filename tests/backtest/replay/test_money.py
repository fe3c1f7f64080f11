"""The float money of a run is that of `sluice.positions`, fill by fill, linear and inverse."""

import random
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backtest.replay import (
    BUY,
    SELL,
    Backtest,
    BacktestResult,
    FeeRates,
    PythonStrategy,
    ReplayAsset,
    calls,
    funding_events,
    run_strategy,
)
from backtest.replay.objects import Account
from sluice.instruments import Instrument, InstrumentCatalog
from sluice.positions import Position, trade_fee
from tests.backtest.replay.feeds import MS, START_NS, make_feed

LINEAR = InstrumentCatalog.shipped().require("BINANCE_USDM:BTCUSDT")
INVERSE = InstrumentCatalog.shipped().require("BINANCE_COINM:BTCUSD_PERP")
FEEDS = {
    instrument: make_feed(6, 1_500, tick=float(instrument.tick_size), lot=float(instrument.lot_size))
    for instrument in (LINEAR, INVERSE)}


class AtRandom(PythonStrategy):
    """Sends orders of all kinds at random."""

    timer_ns = 40 * MS

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def on_timer(self, account: Account) -> None:
        side, lots = self.random.choice((BUY, SELL)), self.random.randint(1, 30)
        if self.random.random() < 0.4:
            account.submit(0, side, lots, order_type=calls.MARKET)
            return
        ticks = (account.best_bid() if side == BUY else account.best_ask()) - side * self.random.randint(-1, 2)
        account.submit(0, side, lots, ticks, time_in_force=self.random.choice((calls.GTC, calls.IOC, calls.FOK)))


def played(instrument: Instrument, seed: int) -> BacktestResult:
    asset = ReplayAsset.of(instrument, FEEDS[instrument], fees=FeeRates(-0.0001, 0.0004))
    return run_strategy(Backtest([asset]), AtRandom(seed))


@pytest.mark.parametrize("instrument", [LINEAR, INVERSE], ids=["linear", "inverse"])
@settings(max_examples=15)
@given(seed=st.integers(0, 10_000))
def test_every_fill_is_worth_what_the_exact_position_says(instrument: Instrument, seed: int) -> None:
    result, position = played(instrument, seed), Position(instrument)
    assert len(result.fills) > 20
    for fill in result.fills:
        price = int(fill["price_ticks"]) * instrument.tick_size
        quantity = int(fill["lots"]) * instrument.lot_size
        fee = trade_fee(instrument, quantity, price, Decimal("-0.0001") if fill["maker"] else Decimal("0.0004"))
        before = position.realised_pnl
        position = position.with_fill(int(fill["side"]) * quantity, price, fee)
        assert fill["realised"] == pytest.approx(float(position.realised_pnl - before), rel=1e-9, abs=1e-9)
        assert fill["fee"] == pytest.approx(float(fee), abs=1.01e-8)  # a tie may be rounded either way
    asset = result.assets[0]
    assert asset.position == pytest.approx(float(position.quantity), abs=1e-12)
    assert asset.entry_price == pytest.approx(float(position.entry_price), rel=1e-9)
    assert asset.realised_pnl == pytest.approx(float(position.realised_pnl), rel=1e-9, abs=1e-9)
    assert asset.fees == pytest.approx(float(position.fees), abs=1.01e-8 * len(result.fills))


@pytest.mark.parametrize("instrument", [LINEAR, INVERSE], ids=["linear", "inverse"])
def test_equity_is_profit_and_funding_less_fees(instrument: Instrument) -> None:
    result = played(instrument, 1)
    last, asset = result.curve[-1, 0], result.assets[0]
    position = Position(instrument, Decimal(str(round(asset.position, 8))), Decimal(repr(asset.entry_price)))
    unrealised = float(position.unrealised_pnl(Decimal(repr(float(last["mid_price"])))))
    assert last["equity"] == pytest.approx(asset.realised_pnl + unrealised + asset.funding - asset.fees, rel=1e-9)


def test_no_order_fills_more_than_it_asked_for() -> None:
    result = played(LINEAR, 2)
    for number, order in enumerate(result.orders, 1):
        filled = int(result.fills["lots"][result.fills["order_id"] == number].sum())
        assert filled + order["remaining_lots"] == order["lots"]
        assert order["remaining_lots"] >= 0


class Holds(PythonStrategy):
    """Buys once and waits."""

    timer_ns = 100 * MS

    def __init__(self) -> None:
        self.bought = False

    def on_timer(self, account: Account) -> None:
        if not self.bought:
            self.bought = True
            account.submit(0, BUY, 7, order_type=calls.MARKET)


@pytest.mark.parametrize(("instrument", "expected"), [
    (LINEAR, -0.007 * 60_000.0 * (0.0001 - 0.0003)),
    (INVERSE, -7 * 100.0 / 60_000.0 * (0.0001 - 0.0003)),
], ids=["linear", "inverse"])
def test_funding_is_paid_on_the_value_at_the_mark_price(instrument: Instrument, expected: float) -> None:
    times = [START_NS + ms * MS for ms in (50, 1_000, 2_000)]  # the first is before there is a position
    asset = ReplayAsset.of(
        instrument, FEEDS[instrument], funding=funding_events(times, [0.01, 0.0001, -0.0003], [60_000.0] * 3))
    result = run_strategy(Backtest([asset]), Holds())
    assert result.assets[0].position == pytest.approx(7 * float(instrument.lot_size))
    assert result.assets[0].funding == pytest.approx(expected, rel=1e-12)

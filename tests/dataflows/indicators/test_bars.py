from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflows.actors.market import MarketActor
from dataflows.bars import BAR_CAPACITY
from dataflows.tapes.frames import Frame
from sluice.errors import InputError
from sluice.instruments import InstrumentCatalog
from tests.dataflows.codecs import wire

BTC = InstrumentCatalog.shipped().require("BINANCE_USDM:BTCUSDT")
SECOND = wire.SECOND
START = 1_700_000_000 * SECOND
Bar = tuple[int, float, float, float, float, float]


def bars_of(trades: list[tuple[int, float, float]], end: int, interval: int = SECOND) -> list[Bar]:
    actor = MarketActor(BTC, bar_interval_ns=interval)
    for number, (time, price, quantity) in enumerate(trades, start=1):
        payload = wire.trade(str(Decimal(str(price))), str(Decimal(str(quantity))))
        assert actor.on_frame(Frame(number, time, payload)) is None
    actor.on_tick(end)
    return [tuple(bar.tolist()) for bar in actor.bars()]


@given(
    st.lists(st.tuples(st.integers(0, 3 * SECOND), st.integers(900, 1100), st.integers(1, 9)), min_size=1, max_size=60),
    st.sampled_from([SECOND, 2 * SECOND, 5 * SECOND]),
)
def test_bars_are_those_of_the_trades_with_the_last_close_carried_through_empty_ones(
    moves: list[tuple[int, int, int]], interval: int,
) -> None:
    time, trades = START, []
    for wait, price, quantity in moves:
        time += wait
        trades.append((time, price / 10, float(quantity)))
    end = (time // interval + 2) * interval
    expected: list[Bar] = []
    for index in range(trades[0][0] // interval, end // interval):
        inside = [(price, quantity) for at, price, quantity in trades if at // interval == index]
        if inside:
            prices = [price for price, _ in inside]
            volume = float(sum(quantity for _, quantity in inside))
            expected.append((index, prices[0], max(prices), min(prices), prices[-1], volume))
        else:
            close = expected[-1][4]
            expected.append((index, close, close, close, close, 0.0))
    assert bars_of(trades, end, interval) == expected[-BAR_CAPACITY:]


def test_a_bar_opens_at_its_first_trade_and_not_at_the_last_close() -> None:
    bars = bars_of([(START, 100.0, 1.0), (START + SECOND, 90.0, 1.0)], START + 2 * SECOND)
    assert bars[1][1:5] == (90.0, 90.0, 90.0, 90.0)


def test_a_trade_on_the_boundary_belongs_to_the_later_bar() -> None:
    bars = bars_of([(START, 100.0, 1.0), (START + SECOND - 1, 101.0, 1.0), (START + SECOND, 90.0, 1.0)],
                   START + 2 * SECOND)
    assert [bar[5] for bar in bars] == [2.0, 1.0]


def test_only_the_latest_bars_are_remembered() -> None:
    trades = [(START + number * SECOND, 100.0 + number, 1.0) for number in range(BAR_CAPACITY + 5)]
    bars = bars_of(trades, START + (BAR_CAPACITY + 5) * SECOND)
    assert [bar[4] for bar in bars] == [100.0 + number for number in range(5, BAR_CAPACITY + 5)]


def test_bars_begin_anew_after_a_silence_longer_than_the_ring() -> None:
    later = START + (BAR_CAPACITY + 10) * SECOND
    bars = bars_of([(START, 100.0, 1.0), (later, 90.0, 1.0)], later + SECOND)
    assert [bar[4] for bar in bars] == [90.0]


def test_a_clock_that_jumps_by_centuries_costs_nothing() -> None:
    assert bars_of([(START, 100.0, 1.0)], START + 7 * 10**18) == []


def test_bars_are_a_copy() -> None:
    actor = MarketActor(BTC)
    actor.on_frame(Frame(1, START, wire.trade("100.0", "1")))
    actor.on_tick(START + SECOND)
    before = actor.snapshot()
    actor.bars()["close"] = np.nan
    assert actor.snapshot() == before


def test_an_interval_that_is_not_positive_is_refused() -> None:
    with pytest.raises(InputError, match="bar_interval_ns must be positive, was 0"):
        MarketActor(BTC, bar_interval_ns=0)

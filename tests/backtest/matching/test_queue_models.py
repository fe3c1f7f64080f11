"""Each queue model on numbers worked out by hand: 100 lots ahead, of which others cancel, trade, or stay."""

import math

import pytest

from backtest.matching import kernel
from backtest.matching.state import QueueModel
from tests.backtest.matching.bare import BUY, SELL, Bare

CASES = [
    # 100 ahead of us and 50 behind: of 30 that vanish, front loses (1 - p) * 30, p the share from behind.
    (QueueModel.POWER, 1.0, 100 - (1 - 50 / 150) * 30),                     # p = 50 / (50 + 100)
    (QueueModel.POWER, 3.0, 100 - (1 - 125_000 / 1_125_000) * 30),          # p = 50^3 / (50^3 + 100^3)
    (QueueModel.POWER_2, 2.0, 100 - (1 - 2_500 / 22_500) * 30),             # p = 50^2 / 150^2
    (QueueModel.POWER_3, 3.0, 100 - (8 / 27) * 30),                         # p = 1 - (100 / 150)^3
    (QueueModel.LOG, 0.0, 100 - (1 - math.log(51) / (math.log(51) + math.log(101))) * 30),
    (QueueModel.LOG_2, 0.0, 100 - (1 - math.log(51) / math.log(151)) * 30),
    (QueueModel.RISK_AVERSE, 0.0, 100.0),                                   # 120 are shown, more than are ahead
]


def waiting(model: QueueModel, power: float = 3.0) -> Bare:
    market = Bare(queue_model=model, queue_power=power)
    market.level(SELL, 1001, 10)
    market.level(BUY, 1000, 100)
    market.submit(1, BUY, 5, 1000)
    market.level(BUY, 1000, 150)
    market.told  # noqa: B018  # looking clears
    return market


@pytest.mark.parametrize(("model", "power", "expected"), CASES, ids=lambda value: getattr(value, "name", str(value)))
def test_what_vanishes_is_shared_between_before_and_behind(model: QueueModel, power: float, expected: float) -> None:
    market = waiting(model, power)

    market.level(BUY, 1000, 120)

    assert market.ahead(1) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("model", [QueueModel.POWER, QueueModel.LOG, QueueModel.POWER_3])
def test_what_traded_is_no_cancel(model: QueueModel) -> None:
    market = waiting(model)

    market.trade(SELL, 1000, 30)
    market.level(BUY, 1000, 120)

    assert market.ahead(1) == 70.0


@pytest.mark.parametrize("model", [model for model in QueueModel if model is not QueueModel.FIFO])
def test_no_more_is_ahead_than_is_shown_and_no_trade_fills_more_than_it_was(model: QueueModel) -> None:
    market = waiting(model)

    market.level(BUY, 1000, 3)
    assert 0.0 <= market.ahead(1) <= 3.0
    market.trade(SELL, 1000, 2)
    assert sum(lots for *_, lots in market.fills) <= 2
    market.trade(SELL, 1000, 5)

    assert sum(lots for *_, lots in market.fills) >= 3


def test_risk_averse_waits_for_every_lot_before_it() -> None:
    market = waiting(QueueModel.RISK_AVERSE)

    market.trade(SELL, 1000, 100)
    assert market.fills == []
    market.trade(SELL, 1000, 2)
    market.trade(SELL, 999, 9)

    assert market.fills == [(1, 1000, 2), (1, 1000, 3)]


def test_without_partial_fills_one_lot_that_reaches_an_order_fills_it_whole() -> None:
    market = Bare(partial_fills=False)
    market.level(SELL, 1001, 1)
    market.level(BUY, 1000, 10)
    market.submit(1, BUY, 5, 1000)

    market.trade(SELL, 1000, 10)
    assert market.fills == []
    market.trade(SELL, 1000, 1)
    market.submit(2, BUY, 50)

    assert market.fills == [(1, 1000, 5), (2, 1001, 50)]


def test_orders_by_id_give_the_exact_place() -> None:
    market = Bare(queue_model=QueueModel.FIFO)
    for number, lots in ((1, 4), (2, 6)):
        kernel.add_market_order(market.at, number, BUY, 1000, lots)
    market.submit(1, BUY, 5, 1000)
    kernel.add_market_order(market.at, 3, BUY, 1000, 7)
    assert market.ahead(1) == 10.0

    kernel.cancel_market_order(market.at, 1)
    assert market.ahead(1) == 6.0
    kernel.modify_market_order(market.at, 2, 1000, 2)
    assert market.ahead(1) == 2.0
    kernel.cancel_market_order(market.at, 3)
    assert market.ahead(1) == 2.0
    kernel.add_market_order(market.at, 4, BUY, 1000, 7)
    market.told  # noqa: B018  # looking clears
    kernel.fill_market_order(market.at, 2, 2, market.now, market.now)
    assert market.fills == []
    kernel.fill_market_order(market.at, 4, 3, market.now, market.now)

    assert market.fills == [(1, 1000, 3)]
    assert kernel.quantity_at(market.at, BUY, 1000) == 4


def test_an_amended_order_goes_to_the_end_of_the_queue() -> None:
    market = waiting(QueueModel.RISK_AVERSE)
    market.trade(SELL, 1000, 60)
    assert market.ahead(1) == 40.0

    kernel.amend(market.at, 1, 1000, 4, market.now)

    assert market.ahead(1) == 150.0


@pytest.mark.parametrize(("model", "price"), [(0, 1003), (1, 1003 + 2), (2, 1003 + 3)])
def test_impact_makes_a_taker_pay_more_than_is_shown(model: int, price: int) -> None:
    market = Bare(partial_fills=False, impact_model=model, impact_ticks=6.0, impact_lots=16.0)
    market.level(SELL, 1003, 10)

    market.submit(1, BUY, 4)  # linear: 6 * 4 / 16 = 1.5, to the nearest 2; square root: 6 * sqrt(4 / 16) = 3

    assert market.fills == [(1, price, 4)]

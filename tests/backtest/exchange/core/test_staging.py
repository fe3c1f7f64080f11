"""Fills in parts, which are asked for as a fault: the answer first, then piece by piece."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest.exchange.core import ExchangeError, commands
from backtest.exchange.core.staging import Stages, parts_of
from tests.backtest.exchange.core.worlds import ASKS, BUY, D, World


def test_an_order_is_answered_before_it_fills_and_then_fills_in_parts() -> None:
    world = World()
    world.exchange.stage_fills("ann", Stages(3, 50))
    order = world.place(BUY, "1", "1000.1")
    assert (order.status, order.executed_quantity) == ("NEW", D(0))
    assert world.position() == D(0)

    done = []
    for _ in range(3):
        world.wait(50)
        done.append((world.order(order).status, world.order(order).executed_quantity, world.position()))

    assert done == [("PARTIALLY_FILLED", D("0.333"), D("0.333")), ("PARTIALLY_FILLED", D("0.666"), D("0.666")),
                    ("FILLED", D(1), D(1))]
    assert world.steps() == [("NEW", "NEW"), ("TRADE", "PARTIALLY_FILLED"), ("TRADE", "PARTIALLY_FILLED"),
                             ("TRADE", "FILLED")]
    assert len(world.exchange.trades("ann")) == 3
    assert world.place(BUY, "0.5", "1000.1").status == "FILLED"


def test_what_follows_a_staged_fill_is_told_after_it() -> None:
    world = World()
    world.exchange.stage_fills("ann", Stages(2, 10, times=1, symbol="BTCUSDT"))
    order = world.place(BUY, "100")
    assert world.order(order).executed_quantity == D(0)

    world.wait(10)
    assert world.order(order).executed_quantity == D(1)
    world.wait(10)

    ended = world.order(order)
    displayed = sum(Decimal(quantity) for _, quantity in ASKS)
    assert (ended.status, ended.executed_quantity) == ("EXPIRED", displayed)
    assert world.position() == displayed


def test_an_order_whose_fills_are_on_the_way_can_no_longer_be_cancelled() -> None:
    world = World()
    world.exchange.stage_fills("ann", Stages(2, 50))
    order = world.place(BUY, "1", "1000.1")

    with pytest.raises(ExchangeError, match="-2011"):
        world.exchange.cancel("ann", "BTCUSDT", order.order_id, None)
    with pytest.raises(ExchangeError, match="-2013"):
        world.exchange.amend("ann", "BTCUSDT", order.order_id, None, BUY, D("999.0"), D(1))
    assert world.exchange.cancel_all("ann", "BTCUSDT") == []
    world.wait(100)
    assert world.order(order).status == "FILLED"


def test_stages_are_a_command_and_can_be_taken_back() -> None:
    world = World()
    noted: list[commands.Command] = []
    world.exchange.command_listeners.append(noted.append)
    world.exchange.stage_fills("ann", Stages(2, 50, times=0))
    world.exchange.stage_fills("ann", None)
    assert [commands.decode(commands.encode(command)) for command in noted] == noted
    assert world.place(BUY, "1", "1000.1").status == "FILLED"


@given(st.integers(1, 10**6), st.integers(1, 200))
def test_parts_make_up_the_whole(lots: int, parts: int) -> None:
    lot = D("0.001")
    pieces = parts_of(lots * lot, lot, parts)
    assert sum(pieces) == lots * lot
    assert all(piece > 0 and piece % lot == 0 for piece in pieces)
    assert len(pieces) == min(parts, lots, 100)

"""Arrays that grow while orders live in them, and states that go on elsewhere as if nothing had happened."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backtest.matching import kernel
from backtest.matching.snapshots import from_bytes, to_bytes
from sluice.errors import InputError
from tests.backtest.matching.bare import BUY, SELL, Bare

moves = st.lists(
    st.tuples(st.sampled_from(["bid", "ask", "trade", "buy", "sell", "cancel"]), st.integers(1, 12), st.integers(1, 9)),
    min_size=1, max_size=40)


def play(market: Bare, script: list[tuple[str, int, int]], first: int = 1) -> list[tuple[int, str, int, int]]:
    for number, (kind, price, lots) in enumerate(script, first):
        if kind in ("bid", "ask"):
            market.level(BUY if kind == "bid" else SELL, 100 - price if kind == "bid" else 100 + price, lots - 1)
        elif kind == "trade":
            market.trade(SELL if price % 2 else BUY, 94 + price, lots)
        elif kind == "cancel":
            kernel.cancel(market.at, price, market.now)
        else:
            market.submit(number, BUY if kind == "buy" else SELL, lots, 94 + price)
    return market.told


@given(moves, moves)
@settings(max_examples=60, deadline=None)
def test_a_restored_state_goes_on_as_the_one_it_was_taken_of(before: list[tuple[str, int, int]], after: list[
        tuple[str, int, int]]) -> None:
    market, other, third = Bare(), Bare(), Bare()
    play(market, before)
    other.owner, third.owner = from_bytes(to_bytes(market.owner)), market.owner.copy()
    other.now = third.now = market.now

    said = play(market, after, 100)

    assert play(other, after, 100) == said
    assert play(third, after, 100) == said


@given(moves)
@settings(max_examples=60, deadline=None)
def test_small_arrays_that_grow_say_what_large_ones_say(script: list[tuple[str, int, int]]) -> None:
    small = Bare(level_capacity=1, order_capacity=1, output_capacity=1)

    assert play(small, script * 3) == play(Bare(), script * 3)


def test_ten_thousand_living_orders_find_room_and_their_way_out() -> None:
    market = Bare(order_capacity=16, level_capacity=16)
    market.level(BUY, 50_000, 1)
    market.level(SELL, 50_001, 1)

    for number in range(10_000):
        market.submit(number, BUY, 1, 49_999 - number % 3_000)
    assert int(market.owner.core["live"]) == 10_000
    kernel.cancel_all(market.at, market.now)

    assert int(market.owner.core["live"]) == 0
    assert int(market.owner.core["lost_outputs"]) == int(market.owner.core["bids"]["lost"]) == 0
    assert kernel.find_order(market.at, 5_000) == -1


@pytest.mark.parametrize("data", [b"", b"PK nothing", to_bytes(Bare().owner)[:-100]])
def test_what_is_no_state_is_refused(data: bytes) -> None:
    with pytest.raises(InputError, match="must be whole"):
        from_bytes(data)

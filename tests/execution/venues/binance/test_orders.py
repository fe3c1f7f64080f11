"""What is remembered of open orders: enough to see that a fill was missed, and no more."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from execution.domain import Fill
from execution.venues.binance.orders import TrackedOrders
from execution.venues.binance.products import Product
from execution.venues.interface import VenueEvent, VenueEventKind
from tests.execution.venues.binance.requests_made import BTC

D = Decimal


def told(kind: VenueEventKind) -> VenueEvent:
    return VenueEvent(kind, "a", 1, "1")


def fill(trade_id: str, quantity: str) -> VenueEvent:
    one = Fill(trade_id, D(quantity), D(60_000), D(0), "USDT", maker=True)
    return VenueEvent(VenueEventKind.FILL, "a", 1, "1", fill=one)


def tracked(quantity: str = "1") -> TrackedOrders:
    orders = TrackedOrders()
    orders.track("a", BTC, D(quantity))
    return orders


def test_an_order_rests_from_its_acceptance_to_its_end() -> None:
    orders = tracked()
    assert orders.resting_symbols() == set()
    orders.observe(told(VenueEventKind.ACCEPTED))
    assert orders.resting_symbols() == {BTC}
    assert [order.client_order_id for order in orders.of(Product.USDM)] == ["a"]
    orders.observe(told(VenueEventKind.CANCELED))
    assert orders.find("a") is None


def test_a_missed_fill_is_noticed_by_the_next_word_and_the_order_stays_until_it_is_known() -> None:
    orders = tracked()
    assert not orders.observe(fill("1", "0.2"), D("0.2"))
    assert orders.observe(fill("3", "0.3"), D("0.7"))
    assert orders.observe(told(VenueEventKind.CANCELED), D("0.7"))
    assert orders.find("a") is not None
    assert not orders.observe(fill("2", "0.2"))
    assert orders.find("a") is None


def test_repeated_fills_count_once() -> None:
    orders = tracked()
    orders.observe(fill("1", "0.5"), D("0.5"))
    assert not orders.observe(fill("1", "0.5"), D("0.5"))
    order = orders.find("a")
    assert order is not None
    assert order.known_quantity == D("0.5")


@given(st.permutations(range(5)), st.sets(st.integers(0, 4)))
def test_whatever_the_order_of_words_a_hole_is_always_seen(order: list[int], lost: set[int]) -> None:
    orders = tracked()
    cumulative = {number: D("0.2") * (number + 1) for number in range(5)}
    missed = False
    for number in order:
        if number not in lost:
            missed = orders.observe(fill(str(number), "0.2"), cumulative[number]) or missed
    heard = [number for number in range(5) if number not in lost]
    hole = bool(heard) and len(heard) < max(heard) + 1
    assert not hole or missed
    found = orders.find("a")
    assert (found is None) == (len(heard) == 5)

"""What must hold whatever the market and the orders do: nothing is made out of nothing, and all of it repeats."""

from collections import defaultdict
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from execution.domain import OrderRequest
from execution.venues.interface import VenueEvent, VenueEventKind
from sluice.decimals import ZERO, is_multiple
from sluice.orders import OrderType, Side, TimeInForce
from sluice.positions import Position
from tests.backtest.matching.builders import BTCUSDT, Market, an_order

Step = tuple[Any, ...]

sides = st.sampled_from(list(Side))
prices = st.integers(995, 1005).map(lambda ticks: Decimal(ticks) / 10)
quantities = st.integers(1, 4000).map(lambda lots: Decimal(lots) / 1000)
times_in_force = st.sampled_from([TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK, TimeInForce.GTX])
steps = st.one_of(
    st.tuples(st.just("update"), sides, prices, st.one_of(st.just(ZERO), quantities)),
    st.tuples(st.just("trade"), sides, prices, quantities),
    st.tuples(st.just("submit"), sides, st.one_of(st.none(), prices), quantities, times_in_force, st.booleans()),
    st.tuples(st.just("cancel"), st.integers(0, 30)),
)
scripts = st.lists(steps, min_size=1, max_size=40)


class Played:
    """A script that was played, with what an onlooker wrote down about it."""

    def __init__(self, script: list[Step]) -> None:
        self.market = Market(bids={"99.9": "2", "99.8": "1"}, asks={"100.1": "2", "100.2": "1"})
        self.requests: dict[str, OrderRequest] = {}
        self.displayed: dict[tuple[Side, Decimal], Decimal] = {
            (side, price): quantity
            for side, levels in self.market.book.sides.items() for price, quantity in levels.items()
        }
        self.had: dict[tuple[Side, Decimal], Decimal] = defaultdict(Decimal)
        for step in script:
            self.play(step)

    def play(self, step: Step) -> None:
        kind, *values = step
        market = self.market
        if kind == "update":
            side, price, quantity = values
            self.displayed[side, price] = quantity
            self.had.pop((side, price), None)
            self.count_crossed(market.update(side, price, quantity))
        elif kind == "trade":
            events = market.trade(*values)
            got = sum((event.fill.quantity for event in events if event.fill), ZERO)
            assert got <= values[2]
        elif kind == "submit":
            self.submit(*values)
        else:
            market.cancel(f"c{values[0]}")
        for order in market.engine.open_orders:
            assert order.queue_ahead >= 0
            assert 0 < order.remaining <= order.request.quantity

    def submit(
        self, side: Side, price: Decimal | None, quantity: Decimal, time_in_force: TimeInForce, reduce_only: bool
    ) -> None:
        request = an_order(
            side, quantity, price, time_in_force, reduce_only=reduce_only, client_order_id=f"c{len(self.requests)}")
        self.requests[request.client_order_id] = request
        before = self.market.engine.position.quantity
        self.count_taken(self.market.submit(request))
        if reduce_only:
            after = self.market.engine.position.quantity
            assert abs(after) <= abs(before)
            assert after * before >= 0

    def count_taken(self, events: list[VenueEvent]) -> None:
        for event in events:
            if event.fill:
                taker = self.requests[event.client_order_id].side
                level = (Side.SELL if taker is Side.BUY else Side.BUY, event.fill.price)
                self.had[level] += event.fill.quantity
                assert self.had[level] <= self.displayed.get(level, ZERO)

    def count_crossed(self, events: list[VenueEvent]) -> None:
        """Fills of resting orders by a crossing book come from no single price; their sum is bounded by the side."""
        for side in Side:
            got = sum((event.fill.quantity for event in events
                       if event.fill and self.requests[event.client_order_id].side is side), ZERO)
            shown = sum((q for (book_side, _), q in self.displayed.items() if book_side is not side), ZERO)
            assert got <= shown


@given(scripts)
@settings(max_examples=300, deadline=None)
def test_fills_stay_within_the_order_its_limit_and_whole_lots(script: list[Step]) -> None:
    played = Played(script)

    filled: dict[str, Decimal] = defaultdict(Decimal)
    for event in played.market.events:
        if event.fill is None:
            continue
        request = played.requests[event.client_order_id]
        filled[event.client_order_id] += event.fill.quantity
        assert filled[event.client_order_id] <= request.quantity
        assert event.fill.quantity > 0
        assert is_multiple(event.fill.quantity, BTCUSDT.lot_size)
        if request.price is not None and request.type is OrderType.LIMIT:
            assert request.side.sign * (request.price - event.fill.price) >= 0
        if event.fill.maker:
            assert event.fill.price == request.price


@given(scripts)
@settings(max_examples=200, deadline=None)
def test_position_and_fees_are_the_sums_of_the_fills(script: list[Step]) -> None:
    played = Played(script)

    expected = Position(BTCUSDT)
    for event in played.market.events:
        if event.fill:
            sign = played.requests[event.client_order_id].side.sign
            expected = expected.with_fill(sign * event.fill.quantity, event.fill.price, event.fill.fee)

    assert played.market.engine.position == expected


@given(scripts)
@settings(max_examples=200, deadline=None)
def test_every_order_lives_once(script: list[Step]) -> None:
    """Accepted or rejected first, at most one end, nothing after it; what has no end still rests."""
    played = Played(script)
    resting = {order.request.client_order_id for order in played.market.engine.open_orders}
    final = {VenueEventKind.CANCELED, VenueEventKind.REJECTED, VenueEventKind.EXPIRED}

    for client_order_id, request in played.requests.items():
        events = [event for event in played.market.events if event.client_order_id == client_order_id]
        told = [event for event in events if event.kind is not VenueEventKind.CANCEL_REJECTED]
        filled = sum((event.fill.quantity for event in told if event.fill), ZERO)
        ends = [event for event in told if event.kind in final]
        assert told[0].kind in (VenueEventKind.ACCEPTED, VenueEventKind.REJECTED)
        assert [event.kind for event in told[1:]].count(VenueEventKind.ACCEPTED) == 0
        assert len(ends) + (filled == request.quantity) + (client_order_id in resting) == 1
        assert not ends or told[-1] is ends[0]
        if request.time_in_force is TimeInForce.FOK and request.type is OrderType.LIMIT:
            assert filled in (ZERO, request.quantity)
        if request.time_in_force is TimeInForce.GTX and request.type is OrderType.LIMIT:
            assert all(event.fill.maker for event in told if event.fill)


@given(scripts)
@settings(max_examples=100, deadline=None)
def test_the_same_script_gives_the_same_events(script: list[Step]) -> None:
    assert Played(script).market.events == Played(script).market.events

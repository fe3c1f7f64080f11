"""The kernels and the decimal reference engine, side by side on one script of market and orders."""

from decimal import Decimal
from typing import Any

import numpy as np
from hypothesis import strategies as st

from backtest.matching.instrument import InstrumentMatching, MatchingEvent, MatchingOrder
from backtest.matching.state import OutputKind, Reason
from execution.domain import OrderRequest
from execution.venues.interface import VenueEvent, VenueEventKind
from sluice.orders import OrderType, SelfTradePrevention, Side, TimeInForce
from tests.backtest.matching.builders import BTCUSDT, Market, an_order

Step = tuple[Any, ...]
Told = tuple[int, str, Decimal, Decimal, bool]

NO_LEVELS = np.empty((0, 2))
sides = st.sampled_from(list(Side))
prices = st.integers(990, 1010).map(lambda ticks: Decimal(ticks) / 10)
quantities = st.integers(1, 4000).map(lambda lots: Decimal(lots) / 1000)
times_in_force = st.sampled_from(
    [TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK, TimeInForce.GTX, TimeInForce.GTD])
preventions = st.sampled_from(list(SelfTradePrevention))
book_side = st.dictionaries(prices, quantities, max_size=6)
market_steps = st.one_of(
    st.tuples(st.just("update"), sides, prices, st.one_of(st.just(Decimal(0)), quantities)),
    st.tuples(st.just("trade"), sides, prices, quantities, st.booleans()),
    st.tuples(st.just("snapshot"), book_side, book_side),
)
steps = st.one_of(
    market_steps,
    market_steps,
    st.tuples(st.just("synced"), st.booleans()),
    st.tuples(
        st.just("submit"), sides, st.one_of(st.none(), prices), quantities, times_in_force, st.booleans(), preventions),
    st.tuples(st.just("cancel"), st.integers(0, 15)),
    st.tuples(st.just("expire")),
)
scripts = st.lists(steps, min_size=1, max_size=40)


class Both:
    """Plays each step on both, and keeps what each said of orders."""

    def __init__(self) -> None:
        self.market = Market({"99.9": "2", "99.8": "1"}, {"100.1": "2", "100.2": "1"})
        self.matching = InstrumentMatching(BTCUSDT)
        self.matching.synced = True
        self.ours: list[Told] = []
        self.theirs: list[Told] = []
        self.lots: dict[int, Decimal] = {}
        self._snapshot()

    def play(self, script: list[Step]) -> None:
        for kind, *values in script:
            getattr(self, f"_{kind}")(*values)

    def _update(self, side: Side, price: Decimal, quantity: Decimal) -> None:
        self._theirs(self.market.update(side, price, quantity))
        levels = np.array([[float(price), float(quantity)]])
        bids, asks = (levels, NO_LEVELS) if side is Side.BUY else (NO_LEVELS, levels)
        self._ours(self.matching.on_levels(bids, asks, self.market.transaction_time, self.market.now_ns))

    def _snapshot(self, bids: Any = None, asks: Any = None) -> None:
        if bids is not None:
            self._theirs(self.market.snapshot(bids, asks))
        rows = [
            np.array([[float(p), float(q)] for p, q in levels.items()]).reshape(-1, 2)
            for levels in self.market.book.sides.values()]
        self._ours(self.matching.on_levels(
            rows[0], rows[1], self.market.transaction_time, self.market.now_ns, snapshot=True))

    def _trade(self, aggressor: Side, price: Decimal, quantity: Decimal, late: bool) -> None:
        self.market.transaction_time -= late
        self._theirs(self.market.trade(aggressor, price, quantity))
        self._ours(self.matching.on_trade(
            aggressor, price, quantity, self.market.transaction_time, self.market.now_ns))

    def _synced(self, synced: bool) -> None:
        self.market.book.synced = self.matching.synced = synced

    def _submit(
        self, side: Side, price: Decimal | None, quantity: Decimal, time_in_force: TimeInForce, reduce_only: bool,
        prevention: SelfTradePrevention,
    ) -> None:
        number = len(self.lots)
        self.lots[number] = quantity
        date = self.market.now_ns + 4 if time_in_force is TimeInForce.GTD and price is not None else 0
        if time_in_force is TimeInForce.GTD and price is None:
            time_in_force = TimeInForce.GTC
        request: OrderRequest = an_order(
            side, quantity, price, time_in_force, reduce_only=reduce_only, good_till_time_ns=date,
            self_trade_prevention=prevention, client_order_id=str(number))
        told = self.market.submit(request)
        if "-4164" in told[0].message:  # The venue's smallest notional is no matter of matching.
            return
        self._theirs(told)
        order = MatchingOrder(
            number, side, OrderType.MARKET if price is None else OrderType.LIMIT, quantity, price, time_in_force,
            self_trade_prevention=prevention, reduce_only=reduce_only, good_till_ns=date)
        reason, events = self.matching.submit(order, self.market.now_ns)
        if reason is not Reason.NONE:
            self.ours.append((number, "REJECTED", Decimal(0), Decimal(0), False))
        self._ours(events)

    def _cancel(self, number: int) -> None:
        self._theirs([event for event in self.market.cancel(str(number))
                      if event.kind is not VenueEventKind.CANCEL_REJECTED])
        self._ours(self.matching.cancel(number, self.market.now_ns)[1])

    def _expire(self) -> None:
        self._theirs(self.market.keep(self.market.engine.expire_until(self.market.now_ns)))
        self._ours(self.matching.expire_until(self.market.now_ns))

    def _theirs(self, events: list[VenueEvent]) -> None:
        self.theirs += [_theirs(event) for event in events]

    def _ours(self, events: list[MatchingEvent]) -> None:
        self.ours += [_ours(event) for event in events]


def _theirs(event: VenueEvent) -> Told:
    fill = event.fill
    number = int(event.client_order_id)
    if fill is None:
        return number, event.kind.name, Decimal(0), Decimal(0), False
    return number, "FILL", fill.price, fill.quantity, fill.maker


def _ours(event: MatchingEvent) -> Told:
    if event.kind is not OutputKind.FILL:
        return event.order_id, event.kind.name, Decimal(0), Decimal(0), False
    return event.order_id, "FILL", event.price, event.quantity, event.maker

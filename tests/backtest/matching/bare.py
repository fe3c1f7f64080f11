"""A matching state driven in ticks and lots, as a compiled loop drives it; one step of time a call."""

from typing import Any

from backtest.matching import kernel
from backtest.matching.arrays import MatchingState, new_state
from backtest.matching.state import NANOTICKS, OutputKind, Reason
from sluice.orders import OrderType, PositionSide, SelfTradePrevention, TimeInForce

BUY, SELL = 1, -1


class Bare:
    """One instrument; `told` is (order id, kind, price, lots) of everything since the last look."""

    def __init__(self, **settings: Any) -> None:
        self.owner: MatchingState = new_state(**settings)
        self.now = 0
        kernel.set_synced(self.owner.address, 1)

    @property
    def at(self) -> int:
        if kernel.needs_room(self.owner.address):
            self.owner.make_room()
        self.now += 1
        return self.owner.address

    def level(self, side: int, price: int, lots: int) -> None:
        kernel.apply_level(self.at, side, price, lots)
        kernel.end_of_batch(self.owner.address, self.now, self.now)

    def trade(self, side: int, price: int, lots: int) -> None:
        kernel.on_trade(self.at, side, price, lots, self.now, self.now)

    def mark(self, price: float) -> None:
        kernel.on_mark(self.at, int(price * NANOTICKS), self.now)

    def submit(
        self, number: int, side: int, lots: int, price: int = 0, *, form: TimeInForce = TimeInForce.GTC,
        position: PositionSide = PositionSide.BOTH, reduce_only: bool = False, date: int = 0,
        prevention: SelfTradePrevention = SelfTradePrevention.NONE,
    ) -> Reason:
        kind = OrderType.LIMIT if price else OrderType.MARKET
        return Reason(kernel.submit(
            self.at, number, side, kind.value, form.value, price, lots, position.value, prevention.value,
            int(reduce_only), date, self.now))

    def wait(
        self, number: int, kind: OrderType, side: int, lots: int, trigger: float, *, price: int = 0,
        by_mark: bool = False, activation: float = 0, callback: int = 0, close: bool = False,
    ) -> Reason:
        return Reason(kernel.place_conditional(
            self.at, number, side, kind.value, TimeInForce.GTC.value, price, lots, PositionSide.BOTH.value,
            SelfTradePrevention.NONE.value, 0, 0, int(trigger * NANOTICKS), int(by_mark), int(activation * NANOTICKS),
            callback, int(close), self.now))

    def ahead(self, number: int) -> float:
        return float(self.owner.orders[kernel.find_order(self.owner.address, number)]["queue_ahead"])

    @property
    def told(self) -> list[tuple[int, str, int, int]]:
        found = [
            (int(row["order_id"]), OutputKind(int(row["kind"])).name, int(row["price_ticks"]), int(row["lots"]))
            for row in self.owner.outputs]
        kernel.clear_outputs(self.owner.address)
        return found

    @property
    def fills(self) -> list[tuple[int, int, int]]:
        return [(number, price, lots) for number, kind, price, lots in self.told if kind == "FILL"]

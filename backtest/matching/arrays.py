"""Who owns a state's memory: its arrays, how they are made, copied, and made larger.

Arrays have a fixed size and grow by doubling. `MatchingState.make_room` is called before a command or a batch: a
command can write at most a few lines for every living order and every level, and what the batch names is said.
"""

from typing import Any

import numpy as np

from backtest.matching import kernel
from backtest.matching.cells import rehash
from backtest.matching.entry_points import ENTRIES
from backtest.matching.index import remember
from backtest.matching.state import (
    CELL,
    CORE,
    ENTRY,
    INDEX,
    LISTS,
    MARKET_ORDER,
    NO_FAR_KEY,
    NO_KEY,
    ORDER,
    OUTPUT,
    ImpactModel,
    QueueModel,
)
from dataflows.kernels import RecordArray

#: The arrays of a state besides its core. Of a side's two tables of cells the second is spare.
ARRAYS = {
    "bids": CELL, "asks": CELL, "orders": ORDER, "order_index": INDEX, "entries": ENTRY, "outputs": OUTPUT,
    "market_orders": MARKET_ORDER, "market_index": INDEX,
}


class MatchingState:
    """One instrument's book and one account's orders in it. `address` is what kernels are given.

    Several accounts are several states that are fed with the same market, several instruments likewise.
    """

    def __init__(self, core: RecordArray, arrays: dict[str, RecordArray]) -> None:
        """Take arrays that nobody else uses; `arrays` has those of `ARRAYS`."""
        self._core = core
        self.core: Any = core[0]
        self.address = int(core.ctypes.data)
        self._arrays = dict(arrays)
        self._arrays |= {f"spare_{name}": np.zeros_like(arrays[name]) for name in ("bids", "asks")}
        core["entry_points"] = ENTRIES.address()
        core["bids"]["sign"], core["asks"]["sign"] = 1, -1
        core["bids"]["cells"] = core["asks"]["cells"] = 0
        self._link()

    def array(self, name: str) -> RecordArray:
        """Return an array of `ARRAYS` as it is now."""
        if name in ("bids", "asks"):
            first = self._arrays[name]
            return first if first.ctypes.data == self.core[name]["cells"] else self._arrays[f"spare_{name}"]
        return self._arrays[name]

    @property
    def orders(self) -> RecordArray:
        """Return the orders' slots, used and free."""
        return self._arrays["orders"]

    @property
    def outputs(self) -> RecordArray:
        """Return what happened since it was cleared."""
        return self._arrays["outputs"][: int(self.core["outputs"])]

    def parts(self) -> dict[str, RecordArray]:
        """Return the core and the arrays, by name; addresses in the core mean nothing elsewhere."""
        return {"core": self._core, **{name: self.array(name) for name in ARRAYS}}

    def copy(self) -> "MatchingState":
        """Return a copy that shares nothing."""
        return MatchingState(self._core.copy(), {name: self.array(name).copy() for name in ARRAYS})

    # Room

    def make_room(self, levels: int = 0) -> None:
        """Make the arrays larger where the next command, or a batch of so many levels a side, might not fit."""
        core, address = self.core, self.address
        if core["live"] >= core["order_capacity"]:
            self._grow_orders()
        if core["market_live"] >= core["market_capacity"]:
            self._grow("market_orders")
            self._regrow_index("market_index", market=True)
        for side, name in ((1, "bids"), (-1, "asks")):
            if 8 * (int(core[name]["levels"]) + int(core["live"]) + levels) > 3 * len(self._arrays[name]):
                self._grow_cells(address, side, name, levels)
        needed = kernel.outputs_ahead(address) + 2 * levels
        while needed > core["output_capacity"]:
            self._grow("outputs")

    def _grow_orders(self) -> None:
        old = self._arrays["entries"]
        self._arrays["entries"] = np.zeros((LISTS, 2 * old.shape[1]), ENTRY)
        self._arrays["entries"][:, : old.shape[1]] = old
        self._grow("orders")
        self._regrow_index("order_index", market=False)

    def _grow(self, name: str) -> None:
        old = self._arrays[name]
        self._arrays[name] = np.zeros(2 * len(old), old.dtype)
        self._arrays[name][: len(old)] = old
        self._link()

    def _regrow_index(self, name: str, *, market: bool) -> None:
        old = self._arrays[name]
        self._arrays[name] = np.zeros(2 * len(old), INDEX)
        self._link()
        for number, slot in old[old["slot"] > 0].tolist():
            remember(self.address, market, number, slot - 1)

    def _grow_cells(self, address: int, side: int, name: str, levels: int) -> None:
        old = self.array(name)
        size, living = len(old), int(self.core[name]["levels"]) + int(self.core["live"]) + levels
        while 3 * size < 8 * living:
            size *= 2
        self._arrays[name], self._arrays[f"spare_{name}"] = np.zeros(size, CELL), old
        self._link()
        rehash(address, side, len(old) - 1)
        self._arrays[f"spare_{name}"] = np.zeros(size, CELL)
        self._link_side(name)

    def _link(self) -> None:
        """Write down where the arrays are."""
        core, arrays = self.core, self._arrays
        for field, name in (("orders", "orders"), ("entries", "entries"), ("output_rows", "outputs"),
                            ("market_orders", "market_orders")):
            core[field] = arrays[name].ctypes.data
        for name in ("order_index", "market_index"):
            core[name]["places"], core[name]["mask"] = arrays[name].ctypes.data, len(arrays[name]) - 1
        core["order_capacity"], core["output_capacity"] = len(arrays["orders"]), len(arrays["outputs"])
        core["market_capacity"] = len(arrays["market_orders"])
        self._link_side("bids")
        self._link_side("asks")

    def _link_side(self, name: str) -> None:
        side, first, spare = self.core[name], self._arrays[name], self._arrays[f"spare_{name}"]
        if side["cells"] != spare.ctypes.data or side["spare"] != first.ctypes.data:
            side["cells"], side["spare"] = first.ctypes.data, spare.ctypes.data
        side["mask"] = len(first) - 1


def new_state(
    *, queue_model: QueueModel = QueueModel.RISK_AVERSE, queue_power: float = 3.0, quantity_per_lot: float = 1.0,
    partial_fills: bool = True, newer_level_wins: bool = False, simultaneous_trades: bool = False,
    submit_triggered: bool = True, impact_model: ImpactModel = ImpactModel.NONE, impact_ticks: float = 0.0,
    impact_lots: float = 1.0, level_capacity: int = 4096, order_capacity: int = 256, output_capacity: int = 1024,
    market_order_capacity: int = 16,
) -> MatchingState:
    """Return an empty state; capacities are rounded up to powers of two.

    `quantity_per_lot` matters to the logarithmic queue models only, which are not free of scale. Without
    `partial_fills`, an order that is reached fills whole, and a taker fills whole at the best price (hftbacktest's
    NoPartialFillExchange). With `newer_level_wins`, a level that crosses the other side hides what it crossed, as in
    hftbacktest's depth; else levels stay until they are named. With `simultaneous_trades`, a trade that has the venue's
    time of the order's arrival may fill it: right where times are in nanoseconds. With `submit_triggered`, a
    conditional order that fires is submitted here at once; without, its owner is told and submits it.
    """
    core = np.zeros(1, CORE)
    for side in ("bids", "asks"):
        core[side]["best_key"], core[side]["far_key"] = NO_KEY, NO_FAR_KEY
    core["highest_buy_ticks"] = 2**62
    core["queue_model"], core["queue_power"], core["quantity_per_lot"] = queue_model, queue_power, quantity_per_lot
    core["partial_fills"], core["newer_level_wins"] = partial_fills, newer_level_wins
    core["simultaneous_trades"], core["submit_triggered"] = simultaneous_trades, submit_triggered
    core["impact_model"], core["impact_ticks"], core["impact_lots"] = impact_model, impact_ticks, impact_lots
    return MatchingState(core, _empty_arrays(level_capacity, order_capacity, output_capacity, market_order_capacity))


def _empty_arrays(levels: int, orders: int, outputs: int, market_orders: int) -> dict[str, RecordArray]:
    sides, slots, market = _power_of_two(levels), _power_of_two(orders), _power_of_two(market_orders)
    shapes: dict[str, int | tuple[int, int]] = {
        "bids": sides, "asks": sides, "orders": slots, "order_index": 2 * slots, "entries": (LISTS, slots),
        "outputs": _power_of_two(outputs), "market_orders": market, "market_index": 2 * market}
    return {name: np.zeros(shape, ARRAYS[name]) for name, shape in shapes.items()}


def _power_of_two(number: int) -> int:
    return 1 << max(4, (number - 1).bit_length())

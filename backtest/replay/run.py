"""A backtest: instruments and limits in, a strategy over them, a result out.

A compiled strategy is a function that `strategy` has compiled and that takes the hot view (and more, where it is given
more). A plain Python strategy is an object; see `backtest.replay.objects`. Both act through the same kernels.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

import numba

from backtest.kernels import cache_folder
from backtest.replay import layout
from backtest.replay.assets import ReplayAsset
from backtest.replay.checks import check_rows
from backtest.replay.limits import Limits
from backtest.replay.making import make_view
from backtest.replay.results import BacktestResult
from backtest.replay.waiting import record_point
from dataflows import kernels
from sluice.errors import InputError

P = ParamSpec("P")
R = TypeVar("R")

_ROOM = Path(__file__).parent
_PROBLEMS = {
    layout.FULL_ORDERS: "orders of a run must fit its limits, were more than {orders:,}",
    layout.FULL_FILLS: "fills of a run must fit its limits, were more than {fills:,}",
    layout.FULL_MESSAGES: "messages on their way must fit the run's limits, were more than {messages:,}",
    layout.FULL_MATCHING: "levels and answers of the matching must fit its arrays, were more",
    layout.BAD_ARGUMENT: "a strategy must name instruments, sides, trades and orders that there are, did not",
}


def strategy(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a strategy with Numba at its first call; the code is cached and goes by the engine's sources, too."""
    try:
        return kernels.compiled(function, cache_folder(_ROOM))
    except RuntimeError:  # Numba has no place for the code of what was typed into an interpreter.
        return cast("Callable[P, R]", numba.njit(nogil=True, error_model="numpy")(function))


class Backtest:
    """One run over instruments that share a clock and a strategy. It runs once."""

    def __init__(self, assets: Sequence[ReplayAsset], limits: Limits | None = None) -> None:
        """Check the rows. Raises `InputError` that names the first row that cannot be."""
        if not assets:
            raise InputError("a backtest must have an instrument, was without any")
        self.assets, self.limits = tuple(assets), limits or Limits()
        found = [check_rows(asset.rows, asset.tick_size, asset.lot_size, asset.name) for asset in self.assets]
        self.rows = sum(len(asset.rows) for asset in self.assets)
        self.view = make_view(self.assets, found, self.limits)

    def run(self, function: Callable[..., object], *arguments: Any) -> BacktestResult:
        """Run a compiled strategy: `function(view, *arguments)`, which gets the view's address.

        Raises `InputError` where the run had to stop.
        """
        function(self.view.address, *arguments)
        return self.result()

    def result(self) -> BacktestResult:
        """Return what came of the run so far. Raises `InputError` where it had to stop."""
        clock = self.view.clock[0]
        if problem := int(clock["problem"]):
            sizes = {"orders": self.limits.orders, "fills": self.limits.fills, "messages": self.limits.messages}
            raise InputError(_PROBLEMS[problem].format(**sizes), fix=_FIXES.get(problem, "raise the run's limits"))
        if clock["curve"] < len(self.view.curve):
            record_point(self.view.address, int(clock["now_ns"]))
        return BacktestResult.of(self.assets, self.view, self.rows)


_FIXES = {
    layout.FULL_MATCHING: "raise open_orders in the matching rules, or check the prices of the rows",
    layout.BAD_ARGUMENT: "look at the numbers that the strategy hands to `backtest.replay.calls`",
}

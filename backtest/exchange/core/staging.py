"""Fills in parts, on request: an order is answered before it fills, and then fills piece by piece.

The matching has decided at once; what is told to the account, its money and its orders comes later, in the same order.
Until the last piece the order counts as open everywhere and can no longer be cancelled or amended.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal

from backtest.exchange.core.context import Timers
from backtest.exchange.core.symbol_matching import Outcome
from backtest.matching.state import OutputKind
from sluice.clock import NS_PER_MS

#: The most pieces that one fill is told in.
MOST_PARTS = 100


@dataclass(frozen=True, slots=True)
class Stages:
    """How the next fills of an account are told: in `parts`, each `milliseconds` after the one before.

    `times` fills are told so, all where it is 0. An empty symbol is every symbol.
    """

    parts: int
    milliseconds: int
    times: int = 1
    symbol: str = ""


@dataclass(slots=True)
class _Waiting:
    """The pieces of a fill that are still to be told, and what happened to the order after it."""

    pieces: list[Outcome]
    after: list[Outcome]


class Staging:
    """What waits to be told of one account's orders in one symbol. `tell` takes an outcome when its time has come."""

    def __init__(self, lot: Decimal, timers: Timers, tell: Callable[[Outcome], None]) -> None:
        self._lot = lot
        self._timers = timers
        self._tell = tell
        self._waiting: dict[int, _Waiting] = {}

    def __bool__(self) -> bool:
        """Tell whether anything is still to be told."""
        return bool(self._waiting)

    def waits(self, order_id: int) -> bool:
        """Tell whether anything of an order is still to be told."""
        return order_id in self._waiting

    def follow(self, outcome: Outcome) -> bool:
        """Put an outcome behind what waits of its order; return whether there is any."""
        waiting = self._waiting.get(outcome.order_id)
        if waiting is not None:
            waiting.after.append(outcome)
        return waiting is not None

    def stage(self, outcome: Outcome, stages: Stages, now_ns: int) -> None:
        """Let a fill wait and be told in parts."""
        pieces = [replace(outcome, quantity=quantity)
                  for quantity in parts_of(outcome.quantity, self._lot, stages.parts)]
        self._waiting[outcome.order_id] = _Waiting(pieces, [])
        for number in range(1, len(pieces) + 1):
            self._timers.at(
                now_ns + number * stages.milliseconds * NS_PER_MS, lambda: self._tell_next(outcome.order_id))

    def tell_all(self) -> None:
        """Tell everything that waits at once."""
        for order_id in list(self._waiting):
            while order_id in self._waiting:
                self._tell_next(order_id)

    def _tell_next(self, order_id: int) -> None:
        waiting = self._waiting.get(order_id)
        if waiting is None:
            return
        self._tell(waiting.pieces.pop(0))
        if not waiting.pieces:
            del self._waiting[order_id]
            for outcome in waiting.after:
                self._tell(outcome)


def parts_of(quantity: Decimal, lot: Decimal, parts: int) -> list[Decimal]:
    """Return a quantity in so many pieces of whole lots, as equal as they can be; fewer where it has fewer lots."""
    lots = int(quantity / lot)
    count = max(1, min(parts, lots, MOST_PARTS))
    share = lots // count * lot
    return [share] * (count - 1) + [quantity - share * (count - 1)]


def taken(waiting: list[Stages], symbol: str, kind: OutputKind) -> Stages | None:
    """Return the first stages that fit a fill of a symbol and count them down in place; None where none fit."""
    for at, stages in enumerate(waiting):
        if kind is OutputKind.FILL and stages.symbol in ("", symbol):
            if stages.times == 1:
                del waiting[at]
            elif stages.times:
                waiting[at] = replace(stages, times=stages.times - 1)
            return stages
    return None

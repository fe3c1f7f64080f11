"""Cancelling many orders: all of a symbol, by the countdown of `countdownCancelAll`, and conditional ones by id."""

from collections.abc import Sequence
from typing import Final

from backtest.exchange.core.conditional import ConditionalDesk
from backtest.exchange.core.context import Context
from backtest.exchange.core.domain import AlgoOrder, ExchangeOrder
from backtest.exchange.core.errors import refuse
from backtest.exchange.core.floor import Floor
from sluice.clock import NS_PER_MS

#: The venue looks at its countdowns this often.
_GRID_MS: Final = 10


class Countdowns:
    """The countdown of every account and symbol. Conditional orders are left alone by it: Binance states nothing."""

    def __init__(self, context: Context, floor: Floor) -> None:
        self._context = context
        self._floor = floor
        self._deadlines: dict[tuple[str, str], int] = {}

    def set(self, account: str, symbol: str, milliseconds: int) -> None:
        """Begin anew; 0 stops. Raises `ExchangeError` where the time is negative."""
        self._floor.desk(account, symbol)
        if milliseconds < 0:
            raise refuse(-1130, parameter="countdownTime")
        if milliseconds == 0:
            self._deadlines.pop((account, symbol), None)
            return
        due_ms = -(-(self._context.now_ms + milliseconds) // _GRID_MS) * _GRID_MS
        self._deadlines[account, symbol] = due_ms
        self._context.timers.at(due_ms * NS_PER_MS, lambda: self._fire(account, symbol, due_ms))

    def _fire(self, account: str, symbol: str, due_ms: int) -> None:
        if self._deadlines.get((account, symbol)) == due_ms:
            del self._deadlines[account, symbol]
            self.cancel_all(account, symbol)

    def cancel_all(self, account: str, symbol: str) -> Sequence[ExchangeOrder]:
        """Cancel every ordinary order of a symbol by id, without those that are `filling`; return them then."""
        desk = self._floor.desk(account, symbol)
        return [desk.cancel(order) for _, order in sorted(desk.history.open.items())
                if not desk.filling(order.order_id)]

    def cancel_algo(self, account: str, algo_id: int | None, client_algo_id: str | None) -> AlgoOrder:
        """Cancel a conditional order that waits. Raises `ExchangeError` -2011 where none does."""
        desk, algo = self.find_algo(account, algo_id, client_algo_id, -2011)
        if not algo.open:
            raise refuse(-2011)
        return desk.cancel(algo)

    def find_algo(
        self, account: str, algo_id: int | None, client_algo_id: str | None, code: int,
    ) -> tuple[ConditionalDesk, AlgoOrder]:
        """Return a conditional order and its desk. Raises `ExchangeError` of `code` where it is not known."""
        self._floor.trader(account)
        if algo_id is None and not client_algo_id:
            raise refuse(-1102, parameter="algoId")
        for _, desk in self._floor.desks(account):
            if (found := desk.find(algo_id, client_algo_id)) is not None:
                return desk, found
        raise refuse(code)

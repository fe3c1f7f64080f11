"""The orders and trades of one account in one symbol, open and closed, as long as the exchange remembers them.

An order without a fill is forgotten three days after it was cancelled or expired, any other ninety days after its end;
beside that, a bounded number of closed orders and trades is kept. Source: Binance, query order.
"""

from collections import OrderedDict, deque
from collections.abc import Iterator
from typing import Final

from backtest.exchange.core.domain import AccountTrade, Amendment, ExchangeOrder
from sluice.decimals import ZERO

_DAY_MS: Final = 86_400_000
UNFILLED_KEPT_MS: Final = 3 * _DAY_MS
CLOSED_KEPT_MS: Final = 90 * _DAY_MS
#: Closed orders and trades kept, whatever their age.
KEPT: Final = 200_000


class OrderHistory:
    """Orders by id, by client order id, and the trades of all."""

    def __init__(self) -> None:
        self.open: dict[int, ExchangeOrder] = {}
        self.trades: deque[AccountTrade] = deque(maxlen=KEPT)
        self.amendments: deque[Amendment] = deque(maxlen=KEPT)
        self._closed: OrderedDict[int, ExchangeOrder] = OrderedDict()
        self._unfilled: OrderedDict[int, int] = OrderedDict()
        self._by_client_id: dict[str, int] = {}

    def put(self, order: ExchangeOrder) -> None:
        """Keep an order as it is now."""
        self._by_client_id[order.client_order_id] = order.order_id
        if order.open:
            self.open[order.order_id] = order
            return
        self.open.pop(order.order_id, None)
        self._closed[order.order_id] = order
        if order.executed_quantity == ZERO:
            self._unfilled[order.order_id] = order.update_time_ms
        if len(self._closed) > KEPT:
            self._forget(next(iter(self._closed)))

    def forget_until(self, now_ms: int) -> None:
        """Forget what is too old at a time."""
        while self._unfilled:
            order_id, ended_ms = next(iter(self._unfilled.items()))
            if ended_ms > now_ms - UNFILLED_KEPT_MS:
                break
            self._forget(order_id)
        while self._closed:
            first = next(iter(self._closed.values()))
            if first.update_time_ms > now_ms - CLOSED_KEPT_MS:
                break
            self._forget(first.order_id)

    def find(self, order_id: int | None, client_order_id: str | None) -> ExchangeOrder | None:
        """Return an order by its id, or the latest of a client order id; None where it is not known."""
        if order_id is None:
            order_id = self._by_client_id.get(client_order_id or "")
            if order_id is None:
                return None
        return self.open.get(order_id) or self._closed.get(order_id)

    def is_open(self, client_order_id: str) -> bool:
        """Tell whether an open order has a client order id."""
        return self._by_client_id.get(client_order_id, 0) in self.open

    def __iter__(self) -> Iterator[ExchangeOrder]:
        """Yield every order by its id."""
        return iter(sorted((*self._closed.values(), *self.open.values()), key=lambda order: order.order_id))

    def _forget(self, order_id: int) -> None:
        order = self._closed.pop(order_id)
        self._unfilled.pop(order_id, None)
        if self._by_client_id.get(order.client_order_id) == order_id:
            del self._by_client_id[order.client_order_id]

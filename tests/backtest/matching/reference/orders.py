"""An order at the venue while it lives: what remains of it and what waits before it in the queue."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from execution.domain import OrderRequest
from sluice.decimals import ZERO
from sluice.orders import Side


@dataclass(slots=True)
class WorkingOrder:
    """An accepted order.

    `queue_ahead` is the quantity at its price that fills before it does. `accepted_at` is the venue's latest
    transaction time on arrival: earlier trades are none of its business.
    """

    request: OrderRequest
    venue_order_id: str
    remaining: Decimal
    accepted_at: int
    queue_ahead: Decimal = ZERO

    @property
    def limit(self) -> Decimal:
        """Return the limit price of an order that rests."""
        if self.request.price is None:
            raise ValueError(f"order {self.request.client_order_id} must have a price to rest")
        return self.request.price


class RestingOrders:
    """The orders of one instrument that wait in the book, by price and then by arrival."""

    def __init__(self) -> None:
        self._orders: dict[str, WorkingOrder] = {}
        self._sorted: dict[Side, list[WorkingOrder]] = {Side.BUY: [], Side.SELL: []}

    def __len__(self) -> int:
        return len(self._orders)

    def __iter__(self) -> Iterator[WorkingOrder]:
        """Yield every order by arrival; the set may change meanwhile."""
        return iter(list(self._orders.values()))

    def get(self, client_order_id: str) -> WorkingOrder | None:
        """Return a resting order, or None."""
        return self._orders.get(client_order_id)

    def add(self, order: WorkingOrder) -> None:
        """Put an order behind those of its price."""
        side = order.request.side
        self._orders[order.request.client_order_id] = order
        self._sorted[side].append(order)
        self._sorted[side].sort(key=lambda other: -side.sign * other.limit)

    def remove(self, order: WorkingOrder) -> None:
        """Take an order out."""
        del self._orders[order.request.client_order_id]
        self._sorted[order.request.side].remove(order)

    def by_priority(self, side: Side) -> list[WorkingOrder]:
        """Return one side's orders, best price first and earliest first at one price."""
        return list(self._sorted[side])

"""What this venue remembers of the orders that may still change: enough to notice that a word about one was missed."""

from dataclasses import dataclass, field
from decimal import Decimal

from execution.venues.binance.products import Product, product_of
from execution.venues.interface import VenueEvent, VenueEventKind
from sluice.decimals import ZERO
from sluice.instruments import Instrument

#: Words after which nothing but missed fills can come.
ENDS = frozenset({VenueEventKind.CANCELED, VenueEventKind.EXPIRED, VenueEventKind.REJECTED})


@dataclass(slots=True)
class TrackedOrder:
    """An order that may still change. `told_quantity` is what the exchange says is filled, by its highest word."""

    client_order_id: str
    instrument: Instrument
    quantity: Decimal
    fills: dict[str, Decimal] = field(default_factory=dict)
    told_quantity: Decimal = ZERO
    accepted: bool = False
    unanswered: bool = False
    ended: bool = False

    @property
    def known_quantity(self) -> Decimal:
        """Return the sum of the fills that were seen."""
        return sum(self.fills.values(), ZERO)

    @property
    def has_gap(self) -> bool:
        """Tell whether the exchange speaks of more than was seen."""
        return self.told_quantity > self.known_quantity

    @property
    def rests(self) -> bool:
        """Tell whether the order is in the book, or may be because the answer to it is missing."""
        return (self.accepted or self.unanswered) and not self.over

    @property
    def over(self) -> bool:
        """Tell whether nothing more is to come."""
        return not self.has_gap and (self.ended or self.known_quantity >= self.quantity)


class TrackedOrders:
    """The orders that may still change, by client order id."""

    def __init__(self) -> None:
        self._orders: dict[str, TrackedOrder] = {}

    def track(self, client_order_id: str, instrument: Instrument, quantity: Decimal) -> None:
        """Remember an order; one that is remembered stays as it is."""
        self._orders.setdefault(client_order_id, TrackedOrder(client_order_id, instrument, quantity))

    def leave_unanswered(self, client_order_id: str) -> None:
        """Take note that nobody knows whether the exchange has an order."""
        if (order := self._orders.get(client_order_id)) is not None:
            order.unanswered = True

    def forget(self, client_order_id: str) -> None:
        """Drop an order that certainly does not exist."""
        self._orders.pop(client_order_id, None)

    def find(self, client_order_id: str) -> TrackedOrder | None:
        """Return an order, or None."""
        return self._orders.get(client_order_id)

    def of(self, product: Product) -> list[TrackedOrder]:
        """Return the orders of a product, the oldest first."""
        return [order for order in self._orders.values() if product_of(order.instrument) is product]

    def resting_symbols(self) -> set[Instrument]:
        """Return the instruments in which orders rest."""
        return {order.instrument for order in self._orders.values() if order.rests}

    def observe(self, event: VenueEvent, told_quantity: Decimal = ZERO) -> bool:
        """Take in a word about an order; tell whether words before it were missed."""
        order = self._orders.get(event.client_order_id)
        if order is None:
            return False
        order.accepted = True
        order.told_quantity = max(order.told_quantity, told_quantity)
        order.ended = order.ended or event.kind in ENDS
        if event.fill is not None:
            order.fills[event.fill.trade_id] = event.fill.quantity
        missed = order.has_gap
        if order.over:
            del self._orders[event.client_order_id]
        return missed

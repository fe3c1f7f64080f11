"""What an account's open orders would add to its positions: running sums by contract and position side.

Whether an order fits the wallet depends on all other open orders. The sums are kept as orders come and go, so that the
question costs the same with one open order and with two hundred. Values are in the settlement asset at the order's own
price; reduce-only orders are counted but add nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from backtest.account.contract import Contract
from sluice.decimals import MONEY, ZERO
from sluice.orders import PositionSide, Side


@dataclass(frozen=True, slots=True)
class OpenOrder:
    """What is left of an order that works: `quantity` unfilled and `price` as the order has it."""

    symbol: str
    order_id: int
    position_side: PositionSide
    side: Side
    quantity: Decimal
    price: Decimal
    reduce_only: bool = False


@dataclass(frozen=True, slots=True)
class OrderTotals:
    """The open orders of one contract and position side: values of buys and sells in the settlement asset."""

    count: int = 0
    bid_value: Decimal = ZERO
    ask_value: Decimal = ZERO

    def plus(self, side: Side, value: Decimal, count: int) -> "OrderTotals":
        """Return the totals with a value added to (or, negative, taken from) a side."""
        if side is Side.BUY:
            return OrderTotals(self.count + count, MONEY.add(self.bid_value, value), self.ask_value)
        return OrderTotals(self.count + count, self.bid_value, MONEY.add(self.ask_value, value))


_NONE = OrderTotals()
#: Values are summed in multiples of this, which a long sum keeps exact whatever comes and goes.
_STEP = Decimal("1E-16")


class OpenOrders:
    """The open orders of one account, by (symbol, order id)."""

    def __init__(self) -> None:
        self._orders: dict[tuple[str, int], tuple[OpenOrder, Decimal]] = {}
        self._totals: dict[tuple[str, PositionSide], OrderTotals] = {}

    def put(self, order: OpenOrder, contract: Contract) -> None:
        """Add an order, or replace it where it is known (a partial fill, an amendment)."""
        self.discard(order.symbol, order.order_id)
        value = ZERO if order.reduce_only else contract.value(order.quantity, order.price).quantize(
            _STEP, context=MONEY)
        self._orders[order.symbol, order.order_id] = (order, value)
        self._add(order, value, 1)

    def discard(self, symbol: str, order_id: int) -> None:
        """Forget an order that works no more; nothing happens where it is not known."""
        if (found := self._orders.pop((symbol, order_id), None)) is not None:
            self._add(found[0], -found[1], -1)

    def _add(self, order: OpenOrder, value: Decimal, count: int) -> None:
        key = order.symbol, order.position_side
        totals = self._totals.get(key, _NONE).plus(order.side, value, count)
        if totals.count:
            self._totals[key] = totals
        else:
            self._totals.pop(key, None)

    def totals(self, symbol: str, side: PositionSide) -> OrderTotals:
        """Return the sums of one contract and position side."""
        return self._totals.get((symbol, side), _NONE)

    def has(self, symbol: str | None = None) -> bool:
        """Tell whether any order is open, of one symbol or at all."""
        return any(symbol in (None, key[0]) for key in self._totals)

    def keys(self) -> Iterator[tuple[str, PositionSide]]:
        """Return the (symbol, position side) pairs that have open orders."""
        return iter(sorted(self._totals, key=lambda key: (key[0], key[1].value)))

    def __iter__(self) -> Iterator[OpenOrder]:
        return (order for order, _ in self._orders.values())

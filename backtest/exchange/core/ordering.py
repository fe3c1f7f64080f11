"""Making and changing order values: the order of a ticket, an order after a fill, and how orders end."""

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from backtest.exchange.core.domain import ExchangeOrder, Listing, OrderTicket
from backtest.matching.state import Reason
from sluice.decimals import MONEY, ZERO
from sluice.orders import (
    OrderType,
    PositionSide,
    PriceMatch,
    SelfTradePrevention,
    TimeInForce,
)
from sluice.positions import SMALLEST_AMOUNT

if TYPE_CHECKING:
    from backtest.exchange.core.desk import Desk

_SECOND_MS: Final = 1000


@dataclass(frozen=True, slots=True)
class Ending:
    """How an order ends without a fill: its status and the wire's `er`."""

    status: str
    expire_reason: int


#: Endings that the kernels decide. The numbers are those of ORDER_TRADE_UPDATE's `er`; what has none is 0.
REASONS: Final = {
    Reason.POSITION_CLOSED: Ending("EXPIRED", 4),
    Reason.SELF_TRADE: Ending("EXPIRED_IN_MATCH", 1),
    Reason.GOOD_TILL_DATE: Ending("EXPIRED", 0),
    Reason.POST_ONLY: Ending("CANCELED", 0),
}
LIQUIDATED: Final = Ending("EXPIRED", 5)


def cutoff(order: ExchangeOrder) -> Ending:
    """Return how an order ends whose rest must not wait: 9 for a market order, 2 for an immediate one."""
    return Ending("EXPIRED", 9 if order.type is OrderType.MARKET else 2)


def new_order(ticket: OrderTicket, price: Decimal | None, desk: "Desk") -> ExchangeOrder:
    """Return the order of a ticket with the id that it will have if it is accepted.

    A client order id is made of the symbol's order id where the ticket has none.
    """
    context, listing = desk.context, desk.listing
    order_id = context.next_order_id(listing.symbol)
    date_ms = ticket.good_till_date_ms // _SECOND_MS * _SECOND_MS
    return ExchangeOrder(
        account=desk.trader.name, product=listing.product, symbol=listing.symbol, pair=listing.pair, order_id=order_id,
        client_order_id=ticket.client_order_id or f"x{listing.symbol}-{order_id}", side=ticket.side,
        type=ticket.type, original_type=ticket.type, time_in_force=ticket.time_in_force or TimeInForce.GTC,
        position_side=ticket.position_side or PositionSide.BOTH, quantity=ticket.quantity or ZERO,
        price=ZERO if price is None else price, margin_asset=listing.instrument.settlement_asset,
        time_ms=context.now_ms, update_time_ms=context.now_ms, reduce_only=bool(ticket.reduce_only),
        close_position=ticket.close_position, stop_price=ticket.stop_price or ZERO, working_type=ticket.working_type,
        price_protect=ticket.price_protect, price_match=ticket.price_match or PriceMatch.NONE,
        self_trade_prevention=ticket.self_trade_prevention or SelfTradePrevention.EXPIRE_MAKER,
        good_till_date_ms=date_ms if ticket.time_in_force is TimeInForce.GTD else 0)


def with_fill(
    order: ExchangeOrder, listing: Listing, quantity: Decimal, value: Decimal, time_ms: int,
) -> ExchangeOrder:
    """Return an order after a fill. The average price is value by quantity, harmonic for inverse contracts."""
    executed = order.executed_quantity + quantity
    total = MONEY.add(order.executed_value, value)
    size = executed * listing.instrument.contract_size
    average = MONEY.divide(size, total) if listing.instrument.inverse else MONEY.divide(total, size)
    return replace(
        order, executed_quantity=executed, executed_value=total, update_time_ms=time_ms,
        average_price=average.quantize(SMALLEST_AMOUNT, context=MONEY).normalize(MONEY),
        status="FILLED" if executed >= order.quantity else "PARTIALLY_FILLED")

"""Changing an open order: what Binance looks at before the book does."""

from decimal import Decimal
from typing import Final

from backtest.exchange.core import rules
from backtest.exchange.core.desk import Desk
from backtest.exchange.core.domain import Amendment, ExchangeOrder, OrderTicket
from backtest.exchange.core.errors import refuse
from backtest.exchange.core.prices import matched_price
from sluice.decimals import ZERO
from sluice.orders import OrderType, PriceMatch, Side

_MOST_AMENDMENTS: Final = 10_000


def amended(
    desk: Desk, order: ExchangeOrder, side: Side | None, price: Decimal | None, quantity: Decimal | None,
    modify_id: str, price_match: PriceMatch | None,
) -> ExchangeOrder:
    """Change an order and return it. Raises `ExchangeError` where form, filters, money or the book say no."""
    if order.type is not OrderType.LIMIT:
        raise refuse(-5025)
    if side is not None and side is not order.side:
        raise refuse(-1128)
    if order.amendments >= _MOST_AMENDMENTS:
        raise refuse(-5026)
    new_price = _price(desk, order, price, price_match)
    new_quantity = order.quantity if quantity is None else quantity
    rules.check_quantity(new_quantity, desk.listing, market=False)
    rules.check_price(new_price, desk.listing)
    mark = desk.context.marks.get(desk.symbol) or ZERO
    rules.check_percent_price(order.side, new_price, desk.listing, mark)
    if (new_price, new_quantity) == (order.price, order.quantity):
        raise refuse(-5027)
    after = desk.amend(order, new_price, new_quantity, modify_id)
    _remember(desk, order, new_price, new_quantity, modify_id)
    return after


def _price(
    desk: Desk, order: ExchangeOrder, price: Decimal | None, price_match: PriceMatch | None,
) -> Decimal:
    if (price_match or PriceMatch.NONE) is not PriceMatch.NONE and price is not None:
        raise refuse(-1106, parameter="price")
    ticket = OrderTicket(order.symbol, order.side, OrderType.LIMIT, price=price, price_match=price_match)
    matched = matched_price(ticket, desk.market)
    return order.price if matched is None else matched


def _remember(desk: Desk, order: ExchangeOrder, price: Decimal, quantity: Decimal, modify_id: str) -> None:
    rows = desk.history.amendments
    number = rows[-1].amendment_id + 1 if rows else 1
    rows.append(Amendment(
        number, order.symbol, order.pair, order.order_id, order.client_order_id, desk.context.now_ms, order.price,
        price, order.quantity, quantity, order.amendments + 1, modify_id))



"""Questions about an account's orders and trades: looking up, filtering by time and id, limiting."""

from collections.abc import Iterable, Sequence
from typing import TypeVar

from backtest.exchange.core.desk import Desk
from backtest.exchange.core.domain import AccountTrade, ExchangeOrder
from backtest.exchange.core.errors import refuse

Row = TypeVar("Row")


def require_id(order_id: int | None, client_order_id: str | None) -> None:
    """Raise `ExchangeError` -1102 where an order is named by neither of its ids."""
    if order_id is None and not client_order_id:
        raise refuse(-1102, parameter="orderId")


def find_order(desk: Desk, order_id: int | None, client_order_id: str | None, code: int) -> ExchangeOrder:
    """Return an order that is remembered. Raises `ExchangeError` of `code` where it is not."""
    require_id(order_id, client_order_id)
    desk.history.forget_until(desk.context.now_ms)
    if (found := desk.history.find(order_id, client_order_id)) is None:
        raise refuse(code)
    return found


def find_open(desk: Desk, order_id: int | None, client_order_id: str | None, code: int) -> ExchangeOrder:
    """Return an order that is open. Raises `ExchangeError` of `code` where none is."""
    found = find_order(desk, order_id, client_order_id, code)
    if not found.open:
        raise refuse(code)
    return found


def page(rows: Iterable[Row], limit: int, *, newest: bool) -> Sequence[Row]:
    """Return the first rows, or the last."""
    found = list(rows)
    return found[-limit:] if newest else found[:limit]


def orders_between(
    desks: Iterable[Desk], order_id: int | None, start_ms: int | None, end_ms: int | None,
) -> list[ExchangeOrder]:
    """Return the orders of desks from an id and placed between two times, by time and id."""
    found: list[ExchangeOrder] = []
    for desk in desks:
        desk.history.forget_until(desk.context.now_ms)
        found += [
            order for order in desk.history
            if (order_id is None or order.order_id >= order_id) and _between(order.time_ms, start_ms, end_ms)]
    return sorted(found, key=lambda order: (order.time_ms, order.symbol, order.order_id))


def trades_between(
    desks: Iterable[Desk], order_id: int | None, from_id: int | None, start_ms: int | None, end_ms: int | None,
) -> list[AccountTrade]:
    """Return the trades of desks of an order, from an id and between two times, by time and id."""
    found = [
        trade for desk in desks for trade in desk.history.trades
        if order_id in (None, trade.order_id) and (from_id is None or trade.trade_id >= from_id)
        and _between(trade.time_ms, start_ms, end_ms)
    ]
    return sorted(found, key=lambda trade: (trade.time_ms, trade.symbol, trade.trade_id))


def _between(time_ms: int, start_ms: int | None, end_ms: int | None) -> bool:
    return (start_ms is None or time_ms >= start_ms) and (end_ms is None or time_ms <= end_ms)

"""Conditional orders, which have endpoints of their own since December 2025 (COIN-M: June 2026)."""

from typing import Any, Final

from backtest.exchange.core.domain import AlgoOrder
from backtest.exchange.core.errors import refuse
from backtest.exchange.rest.authentication import Security
from backtest.exchange.rest.handlers.tickets import ALGO_ORDER, SYMBOL, ticket_of
from backtest.exchange.rest.parameters import Kind, Parameter, one_of
from backtest.exchange.rest.routes import Call, Route
from backtest.exchange.rest.shapes import algo as shapes
from sluice.orders import CONDITIONAL_TYPES

_IDS: Final = ("algoId", "clientAlgoId")
_ONE: Final = (Parameter("symbol", Kind.SYMBOL), Parameter("algoId", Kind.INTEGER), Parameter("clientAlgoId"))


def place(call: Call) -> Any:
    """Place a conditional order."""
    ticket = ticket_of(call.arguments)
    listing = call.listing(ticket.symbol)
    if ticket.type not in CONDITIONAL_TYPES:
        raise refuse(-1116)
    return shapes.placed(call.exchange.place_algo(call.account, ticket), listing)


def cancel(call: Call) -> Any:
    """Cancel a conditional order."""
    return shapes.cancelled(call.exchange.cancel_algo(call.account, *_named(call)))


def query(call: Call) -> Any:
    """Tell where a conditional order stands."""
    order = call.exchange.algo_order(call.account, *_named(call))
    return shapes.queried(order, call.exchange.listings[order.symbol])


def _named(call: Call) -> tuple[int | None, str | None]:
    one_of(_IDS, call.arguments)
    return call.arguments.integer("algoId"), call.arguments.text("clientAlgoId")


def cancel_all(call: Call) -> Any:
    """Cancel every conditional order of a symbol."""
    call.exchange.cancel_all_algo(call.account, call.listing().symbol)
    return {"code": 200, "msg": "The operation of cancel all open order is done."}


def open_orders(call: Call) -> Any:
    """Return the conditional orders that wait, of a symbol or of the product."""
    symbol = call.listing().symbol if call.arguments.text("symbol") else None
    found = call.exchange.open_algo_orders(call.account, call.product, symbol)
    wanted = call.arguments.integer("algoId")
    return [_told(call, order) for order in found if wanted in (None, order.algo_id)]


def all_orders(call: Call) -> Any:
    """Return conditional orders of a symbol, ended ones included."""
    arguments = call.arguments
    found = call.exchange.all_algo_orders(
        call.account, call.listing().symbol, arguments.integer("algoId"), arguments.integer("startTime"),
        arguments.integer("endTime"), arguments.at_most("limit", 500, 1000))
    return [_told(call, order) for order in found]


def _told(call: Call, order: AlgoOrder) -> dict[str, Any]:
    return shapes.told(order, call.exchange.listings[order.symbol])


ROUTES: Final = (
    Route("POST", "algoOrder", place, "Place a conditional order", Security.SIGNED_TRADE, ALGO_ORDER, weight=0,
          orders=(1, 1), changes_state=True),
    Route("DELETE", "algoOrder", cancel, "Cancel a conditional order", Security.SIGNED_TRADE, _ONE,
          changes_state=True),
    Route("GET", "algoOrder", query, "Ask for a conditional order", Security.SIGNED_READ, _ONE),
    Route("DELETE", "algoOpenOrders", cancel_all, "Cancel all conditional orders of a symbol", Security.SIGNED_TRADE,
          (SYMBOL,), changes_state=True),
    Route("GET", "openAlgoOrders", open_orders, "List waiting conditional orders", Security.SIGNED_READ,
          (Parameter("symbol", Kind.SYMBOL), Parameter("algoId", Kind.INTEGER), Parameter("algoType")),
          weight=lambda _product, sent: 1 if sent.get("symbol") else 40),
    Route("GET", "allAlgoOrders", all_orders, "List conditional orders of a symbol", Security.SIGNED_READ,
          (SYMBOL, Parameter("algoId", Kind.INTEGER), Parameter("startTime", Kind.INTEGER),
           Parameter("endTime", Kind.INTEGER), Parameter("limit", Kind.INTEGER)), weight=5),
)

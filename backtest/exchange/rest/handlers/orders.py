"""Ordinary orders: placing, amending, cancelling, asking; batches; the dead man's switch."""

from dataclasses import replace
from typing import Any, Final

from backtest.exchange.core.domain import ExchangeOrder
from backtest.exchange.rest.authentication import Security
from backtest.exchange.rest.handlers import batches
from backtest.exchange.rest.handlers.tickets import ORDER, SYMBOL, ticket_of, wants_result
from backtest.exchange.rest.parameters import Arguments, Kind, Parameter, one_of
from backtest.exchange.rest.routes import Call, Route
from backtest.exchange.rest.shapes import orders as shapes
from sluice.orders import PriceMatch, Side

_IDS: Final = ("orderId", "origClientOrderId")
ONE_ORDER: Final = (SYMBOL, Parameter("orderId", Kind.INTEGER), Parameter("origClientOrderId"))
#: The parameters of an amendment.
AMENDMENT: Final = (
    *ONE_ORDER,
    Parameter("side", mandatory=True, choices=tuple(Side.__members__), refused_as=-1117),
    Parameter("quantity", Kind.DECIMAL, mandatory=True),
    Parameter("price", Kind.DECIMAL),
    Parameter("priceMatch", choices=tuple(PriceMatch.__members__)),
    Parameter("modifyId", Kind.INTEGER),
)
_BATCH: Final = (Parameter("batchOrders", Kind.JSON, mandatory=True),)
_DONE: Final = {"code": 200, "msg": "The operation of cancel all open order is done."}


def place(call: Call) -> Any:
    """Place an order."""
    return _place(call, call.arguments)


def _place(call: Call, arguments: Arguments) -> dict[str, Any]:
    ticket = ticket_of(arguments)
    listing = call.listing(ticket.symbol)
    order = call.exchange.place(call.account, ticket)
    return shapes.placed(order, listing, result=wants_result(arguments))


def test(call: Call) -> Any:
    """Judge an order without placing it."""
    ticket = ticket_of(call.arguments)
    listing = call.listing(ticket.symbol)
    return shapes.tested(call.exchange.check(call.account, ticket), listing)


def amend(call: Call) -> Any:
    """Change price and quantity of a limit order."""
    return _amend(call, call.arguments)


def _amend(call: Call, arguments: Arguments) -> dict[str, Any]:
    one_of(_IDS, arguments)
    listing = call.listing(arguments.needed("symbol"))
    word, modify_id = arguments.text("priceMatch"), arguments.text("modifyId") or ""
    order = call.exchange.amend(
        call.account, listing.symbol, arguments.integer("orderId"), arguments.text("origClientOrderId"),
        Side[arguments.needed("side")], arguments.decimal("price"), arguments.decimal("quantity"), modify_id,
        PriceMatch[word] if word else None)
    return shapes.amended(order, listing, modify_id)


def cancel(call: Call) -> Any:
    """Cancel an order."""
    one_of(_IDS, call.arguments)
    return _cancel(call, call.arguments.integer("orderId"), call.arguments.text("origClientOrderId"))


def _cancel(call: Call, order_id: int | None, client_order_id: str | None) -> dict[str, Any]:
    listing = call.listing()
    return shapes.working(call.exchange.cancel(call.account, listing.symbol, order_id, client_order_id), listing)


def query(call: Call) -> Any:
    """Tell where an order stands."""
    one_of(_IDS, call.arguments)
    return _told(call, call.exchange.order(call.account, *_named(call)))


def query_open(call: Call) -> Any:
    """Tell where an order stands that still works."""
    one_of(_IDS, call.arguments)
    return _told(call, call.exchange.open_order(call.account, *_named(call)))


def _named(call: Call) -> tuple[str, int | None, str | None]:
    return call.listing().symbol, call.arguments.integer("orderId"), call.arguments.text("origClientOrderId")


def _told(call: Call, order: ExchangeOrder, *, both_values: bool = False) -> dict[str, Any]:
    return shapes.told(order, call.exchange.listings[order.symbol], both_values=both_values)


def open_orders(call: Call) -> Any:
    """Return the orders that still work, of a symbol or of the product."""
    wanted = {listing.symbol for listing in call.listings()}
    found = call.exchange.open_orders(call.account, call.product, call.arguments.text("symbol"))
    return [_told(call, order) for order in found if order.symbol in wanted]


def place_batch(call: Call) -> Any:
    """Place up to five orders."""
    found = batches.elements(call.arguments.needed("batchOrders"), "batchOrders", batches.MOST_ORDERS)
    return batches.each(found, ORDER, lambda arguments: _place(call, arguments))


def amend_batch(call: Call) -> Any:
    """Amend up to five orders."""
    found = batches.elements(call.arguments.needed("batchOrders"), "batchOrders", batches.MOST_ORDERS)
    return batches.each(found, AMENDMENT, lambda arguments: _amend(call, arguments))


#: The names of a batch's lists of ids; the venue takes them in small letters too, and ccxt sends them so.
_ID_LISTS: Final = ("orderIdList", "origClientOrderIdList", "orderidlist", "origclientorderidlist")


def cancel_batch(call: Call) -> Any:
    """Cancel up to ten orders, named by one list of ids."""
    one_of(_ID_LISTS, call.arguments)
    name = next(name for name in _ID_LISTS if name in call.arguments.values)
    found = batches.elements(call.arguments.needed(name), name, batches.MOST_CANCELS)
    key = "orderId" if name.lower() == "orderidlist" else "origClientOrderId"
    parameters = [parameter for parameter in ONE_ORDER if parameter.name == key]
    ids = [{key: batches.as_text(one)} for one in found]
    return batches.each(ids, [replace(parameters[0], mandatory=True)], lambda arguments: _cancel(
        call, arguments.integer("orderId"), arguments.text("origClientOrderId")))


def cancel_all(call: Call) -> Any:
    """Cancel every order of a symbol."""
    call.exchange.cancel_all(call.account, call.listing().symbol)
    return _DONE


def countdown(call: Call) -> Any:
    """Start, restart or stop (0) the countdown after which all orders of a symbol are cancelled."""
    symbol, milliseconds = call.listing().symbol, call.arguments.integer("countdownTime") or 0
    call.exchange.countdown(call.account, symbol, milliseconds)
    return {"symbol": symbol, "countdownTime": str(milliseconds)}


def _order_count(call_weight: int) -> tuple[int, int]:
    return (call_weight, 1)


ROUTES: Final = (
    Route("POST", "order", place, "Place an order", Security.SIGNED_TRADE, ORDER, weight=0, orders=_order_count(1),
          changes_state=True),
    Route("POST", "order/test", test, "Judge an order without placing it", Security.SIGNED_TRADE, ORDER, weight=0),
    Route("PUT", "order", amend, "Amend a limit order", Security.SIGNED_TRADE, AMENDMENT, weight=0,
          orders=_order_count(1), changes_state=True),
    Route("DELETE", "order", cancel, "Cancel an order", Security.SIGNED_TRADE, ONE_ORDER, changes_state=True),
    Route("GET", "order", query, "Ask for an order", Security.SIGNED_READ, ONE_ORDER),
    Route("GET", "openOrder", query_open, "Ask for a working order", Security.SIGNED_READ, ONE_ORDER),
    Route("GET", "openOrders", open_orders, "List working orders", Security.SIGNED_READ,
          (Parameter("symbol", Kind.SYMBOL), Parameter("pair", Kind.SYMBOL)),
          weight=lambda _product, sent: 1 if sent.get("symbol") else 40),
    Route("POST", "batchOrders", place_batch, "Place up to five orders", Security.SIGNED_TRADE, _BATCH, weight=5,
          orders=_order_count(5), changes_state=True),
    Route("PUT", "batchOrders", amend_batch, "Amend up to five orders", Security.SIGNED_TRADE, _BATCH, weight=5,
          orders=_order_count(5), changes_state=True),
    Route("DELETE", "batchOrders", cancel_batch, "Cancel up to ten orders", Security.SIGNED_TRADE,
          (SYMBOL, *(Parameter(name, Kind.JSON) for name in _ID_LISTS)),
          changes_state=True),
    Route("DELETE", "allOpenOrders", cancel_all, "Cancel all orders of a symbol", Security.SIGNED_TRADE, (SYMBOL,),
          changes_state=True),
    Route("POST", "countdownCancelAll", countdown, "Cancel all orders of a symbol unless this is called again in time",
          Security.SIGNED_TRADE, (SYMBOL, Parameter("countdownTime", Kind.INTEGER, mandatory=True)), weight=10,
          changes_state=True),
)

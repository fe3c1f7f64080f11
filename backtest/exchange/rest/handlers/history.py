"""What an account has done: orders, fills, amendments, and the orders that the exchange made for it."""

from typing import Any, Final

from backtest.exchange.core.domain import ExchangeOrder, Product
from backtest.exchange.rest.authentication import Security
from backtest.exchange.rest.handlers.orders import ONE_ORDER
from backtest.exchange.rest.parameters import Arguments, Kind, Parameter
from backtest.exchange.rest.refusals import refusal
from backtest.exchange.rest.routes import Call, Route
from backtest.exchange.rest.shapes import orders as shapes

_WEEK_HOURS: Final = 7 * 24
#: The parameters that cut a list short by time and number.
SPAN: Final = (Parameter("startTime", Kind.INTEGER), Parameter("endTime", Kind.INTEGER),
               Parameter("limit", Kind.INTEGER))
_FORCED_PREFIXES: Final = {"LIQUIDATION": ("autoclose-",), "ADL": ("adl_autoclose",)}

def checked_span(arguments: Arguments) -> tuple[int | None, int | None]:
    """Return the asked-for times. Raises `ExchangeError` -1127 where they are more than seven days apart."""
    start, end = arguments.integer("startTime"), arguments.integer("endTime")
    if start is not None and end is not None and end - start > _WEEK_HOURS * 3_600_000:
        raise refusal(-1127, hours=_WEEK_HOURS)
    return start, end

def _place_of(call: Call) -> tuple[Product | None, str | None]:
    """Return where to look: a symbol, or both products where none is named, as since June 2026."""
    if call.arguments.text("symbol") is None and call.arguments.text("pair") is None:
        return None, None
    return call.product, call.listings()[0].symbol

def all_orders(call: Call) -> Any:
    """Return orders, ended ones included."""
    start, end = checked_span(call.arguments)
    product, symbol = _place_of(call)
    limit = call.arguments.at_most("limit", 500 if call.product is Product.USDM else 50, 1000)
    found = call.exchange.all_orders(
        call.account, product, symbol, call.arguments.integer("orderId"), start, end, limit)
    return [shapes.told(order, call.exchange.listings[order.symbol], both_values=True) for order in found]

def trades(call: Call) -> Any:
    """Return the account's fills."""
    start, end = checked_span(call.arguments)
    arguments, (product, symbol) = call.arguments, _place_of(call)
    limit = arguments.at_most("limit", 500 if call.product is Product.USDM else 50, 1000)
    found = call.exchange.trades(
        call.account, product, symbol, arguments.integer("orderId"), arguments.integer("fromId"), start, end, limit)
    return [shapes.traded(trade, call.exchange.listings[trade.symbol]) for trade in found]

def amendments(call: Call) -> Any:
    """Return the changes of an order."""
    listing, arguments = call.listing(), call.arguments
    start, end = checked_span(arguments)
    found = call.exchange.amendments(
        call.account, listing.symbol, arguments.integer("orderId"), arguments.text("origClientOrderId"), start, end,
        arguments.at_most("limit", 50, 100))
    return [shapes.amendment(change, listing) for change in found]

def forced_orders(call: Call) -> Any:
    """Return the orders that liquidated or deleveraged the account."""
    start, end = checked_span(call.arguments)
    kind = call.arguments.text("autoCloseType")
    prefixes = _FORCED_PREFIXES[kind] if kind else tuple(p for group in _FORCED_PREFIXES.values() for p in group)
    symbol = call.listing().symbol if call.arguments.text("symbol") else None
    found = call.exchange.all_orders(call.account, call.product, symbol, None, start, end, 1000)
    limit = call.arguments.at_most("limit", 50, 100)
    return [_forced(call, order) for order in found if order.client_order_id.startswith(prefixes)][-limit:]

def _forced(call: Call, order: ExchangeOrder) -> dict[str, Any]:
    return shapes.forced(order, call.exchange.listings[order.symbol])

_WHERE: Final = (Parameter("symbol", Kind.SYMBOL), Parameter("pair", Kind.SYMBOL), Parameter("orderId", Kind.INTEGER))

ROUTES: Final = (
    Route("GET", "allOrders", all_orders, "List orders, ended ones included", Security.SIGNED_READ,
          (*_WHERE, *SPAN), weight=5),
    Route("GET", "userTrades", trades, "List the account's fills", Security.SIGNED_READ,
          (*_WHERE, Parameter("fromId", Kind.INTEGER), *SPAN), weight=5),
    Route("GET", "orderAmendment", amendments, "List the changes of an order", Security.SIGNED_READ,
          (*ONE_ORDER, *SPAN)),
    Route("GET", "forceOrders", forced_orders, "List orders that liquidated or deleveraged the account",
          Security.SIGNED_READ, (Parameter("symbol", Kind.SYMBOL), Parameter(
              "autoCloseType", choices=tuple(_FORCED_PREFIXES)), *SPAN),
          weight=lambda _product, sent: 20 if sent.get("symbol") else 50),
)

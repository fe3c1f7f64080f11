"""Which method of the WebSocket order API is which REST route."""

from typing import Final

from backtest.exchange.core.domain import Product
from backtest.exchange.rest.refusals import refusal
from backtest.exchange.rest.routes import Route, RouteTable

_USDM: Final = {
    "account.balance": ("GET", "v2/balance"), "v2/account.balance": ("GET", "v3/balance"),
    "account.status": ("GET", "v2/account"), "v2/account.status": ("GET", "v3/account"),
    "account.position": ("GET", "v2/positionRisk"), "v2/account.position": ("GET", "v3/positionRisk"),
}
_COINM: Final = {
    "account.balance": ("GET", "v1/balance"), "account.status": ("GET", "v1/account"),
    "account.position": ("GET", "v1/positionRisk"),
}
_BOTH: Final = {
    "ping": ("GET", "v1/ping"), "time": ("GET", "v1/time"), "exchangeInfo": ("GET", "v1/exchangeInfo"),
    "depth": ("GET", "v1/depth"), "ticker.price": ("GET", "v1/ticker/price"),
    "ticker.book": ("GET", "v1/ticker/bookTicker"),
    "order.place": ("POST", "v1/order"), "order.modify": ("PUT", "v1/order"), "order.cancel": ("DELETE", "v1/order"),
    "order.status": ("GET", "v1/order"), "algoOrder.place": ("POST", "v1/algoOrder"),
    "algoOrder.cancel": ("DELETE", "v1/algoOrder"), "userDataStream.start": ("POST", "v1/listenKey"),
    "userDataStream.ping": ("PUT", "v1/listenKey"), "userDataStream.stop": ("DELETE", "v1/listenKey"),
}
METHODS: Final = {Product.USDM: _BOTH | _USDM, Product.COINM: _BOTH | _COINM}


def route_of(table: RouteTable, product: Product, method: str) -> Route:
    """Return the route of a method. Raises `ExchangeError` -5000 with 404 for one that does not exist."""
    found = METHODS[product].get(method)
    if found is None:
        raise refusal(-5000, 404, path=f"/ws-{product.value}/v1", method=method[:40])
    verb, path = found
    return table.find(verb, f"/{product.value}/{path}")[0]

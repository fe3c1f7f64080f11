"""The table of all routes: the one place that says what the exchange answers."""

from typing import Final

from backtest.exchange.rest.handlers import account, algo, history, market, orders, settings, stream_keys
from backtest.exchange.rest.routes import RouteTable

TABLE: Final = RouteTable((
    *market.ROUTES, *orders.ROUTES, *algo.ROUTES, *history.ROUTES, *account.ROUTES, *settings.ROUTES,
    *stream_keys.ROUTES,
))

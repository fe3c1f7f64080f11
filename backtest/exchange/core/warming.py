"""Compiling what the exchange needs before the first client waits for it."""

import logging
from decimal import Decimal
from typing import Final

from backtest.exchange.core.domain import Listing, OrderTicket, Product
from backtest.exchange.core.errors import ExchangeError
from backtest.exchange.core.exchange import Exchange
from backtest.matching.entry_points import ENTRIES
from dataflows.tapes.frames import Frame
from sluice.orders import OrderType, Side, TimeInForce

_log: Final = logging.getLogger("backtest.exchange")
_START_NS = 1_700_000_000_000_000_000
_TIMES = '"E":1700000000000,"T":1700000000000'


def warm(listing: Listing) -> None:
    """Run every kernel once on an exchange that is thrown away: book, trade, mark, orders of each kind."""
    if not ENTRIES.cached:
        _log.warning("kernels are being compiled, which takes half a minute the first time")
    exchange = Exchange([listing])
    step, lot = listing.instrument.tick_size, listing.instrument.lot_size
    price, quantity = step * 100_000, max(listing.instrument.min_quantity, lot) * 10
    exchange.open_account("warm", {product: {listing.instrument.settlement_asset: Decimal(10**9)}
                                   for product in Product if product is listing.product})
    for payload in _market(listing.symbol, price, step, quantity):
        exchange.on_frame(Frame(1, _START_NS, payload.encode(), listing.symbol))
        for ticket in _tickets(listing.symbol, price, step, quantity):
            _try(exchange, ticket)
    exchange.advance_to(_START_NS)


def _market(symbol: str, price: Decimal, step: Decimal, quantity: Decimal) -> list[str]:
    bid, ask, size = f"{price - step:f}", f"{price:f}", f"{quantity * 1000:f}"
    return [
        f'{{"lastUpdateId":1,{_TIMES},"bids":[["{bid}","{size}"]],"asks":[["{ask}","{size}"]]}}',
        f'{{"e":"depthUpdate",{_TIMES},"s":"{symbol}","U":1,"u":2,"pu":1,"b":[["{bid}","{size}"]],"a":[]}}',
        f'{{"e":"trade",{_TIMES},"s":"{symbol}","t":1,"p":"{ask}","q":"{size}","X":"MARKET","m":false}}',
        f'{{"e":"markPriceUpdate","E":1700000000000,"s":"{symbol}","p":"{ask}","T":0}}',
    ]


def _tickets(symbol: str, price: Decimal, step: Decimal, quantity: Decimal) -> list[OrderTicket]:
    return [
        OrderTicket(symbol, Side.BUY, OrderType.MARKET, quantity),
        OrderTicket(symbol, Side.SELL, OrderType.LIMIT, quantity, price, TimeInForce.GTC),
        OrderTicket(symbol, Side.SELL, OrderType.STOP_MARKET, quantity, stop_price=price / 2 // step * step),
    ]


def _try(exchange: Exchange, ticket: OrderTicket) -> None:
    try:
        if ticket.stop_price is not None:
            algo = exchange.place_algo("warm", ticket)
            exchange.cancel_algo("warm", algo.algo_id, None)
            return
        order = exchange.place("warm", ticket)
        if order.open:
            exchange.amend("warm", order.symbol, order.order_id, None, None, None, order.quantity * 2)
            exchange.cancel("warm", order.symbol, order.order_id, None)
    except ExchangeError:
        return

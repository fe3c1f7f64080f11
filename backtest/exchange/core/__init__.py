"""The exchange without a network: orders, accounts and the market as Binance futures have them, a pure state machine.

Time comes in with frames and with `advance_to`; commands come in through `Exchange`'s methods; what a client would hear
on its user stream goes to `user_events`. The same frames and the same commands at the same times give the same orders,
ids and events. Wire formats of REST and sockets are elsewhere; user events alone are made here in wire shape, because
their order and content are part of how the exchange behaves.
"""

from backtest.exchange.core.domain import (
    AccountTrade,
    AlgoOrder,
    Amendment,
    ExchangeOrder,
    Listing,
    OrderTicket,
    Product,
    UserEvent,
)
from backtest.exchange.core.errors import ExchangeError
from backtest.exchange.core.exchange import Exchange

__all__ = [
    "AccountTrade", "AlgoOrder", "Amendment", "Exchange", "ExchangeError", "ExchangeOrder", "Listing", "OrderTicket",
    "Product", "UserEvent",
]

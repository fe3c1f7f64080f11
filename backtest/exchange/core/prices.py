"""Prices relative to the book: `priceMatch`."""

from decimal import Decimal
from itertools import islice
from typing import Final

from backtest.exchange.core.domain import OrderTicket
from backtest.exchange.core.errors import refuse
from backtest.exchange.core.market import SymbolMarket
from sluice.orders import PriceMatch

_OPPONENTS: Final = {
    PriceMatch.OPPONENT: 1, PriceMatch.OPPONENT_5: 5, PriceMatch.OPPONENT_10: 10, PriceMatch.OPPONENT_20: 20,
}
_QUEUES: Final = {PriceMatch.QUEUE: 1, PriceMatch.QUEUE_5: 5, PriceMatch.QUEUE_10: 10, PriceMatch.QUEUE_20: 20}


def matched_price(ticket: OrderTicket, market: SymbolMarket) -> Decimal | None:
    """Return a ticket's price: its own, or that of the level which it names. Raises `ExchangeError` -5041.

    OPPONENT counts levels of the other side, QUEUE those of its own, both from the best.
    """
    wanted = ticket.price_match or PriceMatch.NONE
    if wanted is PriceMatch.NONE:
        return ticket.price
    depth = _OPPONENTS.get(wanted) or _QUEUES[wanted]
    side = ticket.side if wanted in _QUEUES else ticket.side.opposite
    level = next(islice(market.book.levels(side, depth), depth - 1, None), None) if market.synced else None
    if level is None:
        raise refuse(-5041)
    return level[0]

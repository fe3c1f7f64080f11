"""The recorded book of one symbol, whole and exact: what REST depth answers and what prices are relative to.

Our orders never change it. A difference is taken by the venue's sequence rules; a book that has lost the thread says
so by `synced`, and nothing trades until a snapshot joins it again.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

import numpy as np

from backtest.exchange.core.wire import exact
from dataflows.book import BookResult, BookSide, OrderBook
from dataflows.codecs.binance_events import DepthSnapshot, DepthUpdate
from dataflows.codecs.levels import Levels
from sluice.orders import Side

#: Levels that are asked for at first, and where those are used up; few orders look further than the first few.
_DEPTHS: Final = (8, 64, 4096)
_SIDES: Final = {Side.BUY: BookSide.BID, Side.SELL: BookSide.ASK}
_CHANGED: Final = (BookResult.APPLIED, BookResult.LOADED, BookResult.REJOINED)


class RecordedBook:
    """A book with sides by BUY (bids) and SELL (asks)."""

    def __init__(self, tick_size: Decimal) -> None:
        self._book = OrderBook(tick_size)
        self._was_synced = False

    @property
    def synced(self) -> bool:
        """Tell whether the book is whole."""
        return self._book.synced

    @property
    def last_update_id(self) -> int:
        """Return the update id that the book is as of."""
        return self._book.last_update_id

    def apply(self, event: DepthUpdate | DepthSnapshot) -> tuple[bool, bool]:
        """Take a frame; return whether the book changed, and whether any level may have."""
        if isinstance(event, DepthSnapshot):
            result = self._book.apply_snapshot(event.last_update_id, event.bids, event.asks)
            whole = True
        else:
            result = self._book.apply_update(
                event.first_update_id, event.last_update_id, event.previous_update_id, event.bids, event.asks)
            whole = result is BookResult.REJOINED
        joined = self.synced and not self._was_synced
        self._was_synced = self.synced
        return result in _CHANGED, whole or joined

    def best(self, side: Side) -> Decimal | None:
        """Return the best price of a side, None where there is none."""
        return self._book.best_bid() if side is Side.BUY else self._book.best_ask()

    def best_quantity(self, side: Side) -> Decimal:
        """Return the quantity at the best price."""
        return exact(self._book.best_quantity(_SIDES[side]))

    def array(self, side: Side) -> Levels:
        """Return every level of a side, best first, as (n, 2) of price and quantity."""
        rows = self._book.levels(_SIDES[side], _DEPTHS[-1])
        return np.array([(float(price), quantity) for price, quantity in rows]).reshape(-1, 2)

    def levels(self, side: Side, limit: int = 4096) -> Iterator[tuple[Decimal, Decimal]]:
        """Yield (price, quantity) from the best level on."""
        given = 0
        for depth in _DEPTHS:
            levels = self._book.levels(_SIDES[side], min(depth, limit))
            for price, quantity in levels[given:]:
                yield price, exact(quantity)
            if len(levels) < depth:
                return
            given = depth

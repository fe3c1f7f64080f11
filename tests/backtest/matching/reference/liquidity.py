"""What of the displayed book is still there for us: the ledger of quantity that is shown and yet gone.

Two things make a level smaller than the tape shows it: what we took from it (forgotten when the tape names the level
again), and what others traded since the book's time (forgotten with the next book that includes those trades).
"""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Protocol

from sluice.decimals import ZERO
from sluice.orders import Side

#: Tells whether a change of the book named a level. The side is the book's: BUY for bids.
Touched = Callable[[Side, Decimal], bool]


class DisplayedBook(Protocol):
    """The recorded book as matching needs it. A side is the book's own: BUY for bids, SELL for asks."""

    @property
    def synced(self) -> bool:
        """Tell whether the book is whole: a snapshot, and no gap since."""
        ...

    def quantity_at(self, side: Side, price: Decimal) -> Decimal:
        """Return the displayed quantity at a price; zero where there is none."""
        ...

    def levels(self, side: Side) -> Iterator[tuple[Decimal, Decimal]]:
        """Yield (price, quantity) from the best level on."""
        ...


def everything(_side: Side, _price: Decimal) -> bool:
    """Say of every level that it was named: what a snapshot does."""
    return True


class Liquidity:
    """The levels of one book that are still to be had."""

    def __init__(self, book: DisplayedBook) -> None:
        self._book = book
        self._taken: dict[tuple[Side, Decimal], Decimal] = {}
        self._traded: dict[tuple[Side, Decimal], Decimal] = {}
        self._book_time = 0

    def levels(self, side: Side, limit: Decimal | None) -> Iterator[tuple[Decimal, Decimal]]:
        """Yield (price, quantity left) of one side, best first, as far as a limit price of a taker; None for all."""
        for price, displayed in self._book.levels(side):
            if limit is not None and (price > limit if side is Side.SELL else price < limit):
                return
            gone = self._taken.get((side, price), ZERO) + self._traded.get((side, price), ZERO)
            if displayed > gone:
                yield price, displayed - gone

    def take(self, side: Side, price: Decimal, quantity: Decimal) -> None:
        """Remember a quantity of ours as taken from a level."""
        self._taken[side, price] = self._taken.get((side, price), ZERO) + quantity

    def trade(self, side: Side, price: Decimal, quantity: Decimal, transaction_time: int) -> None:
        """Remember a recorded trade that the book may not show yet. `transaction_time` is the venue's."""
        if transaction_time > self._book_time:
            self._traded[side, price] = self._traded.get((side, price), ZERO) + quantity

    def refresh(self, touched: Touched, transaction_time: int) -> None:
        """Forget what a changed book has caught up with. The book holds every trade up to its transaction time."""
        self._book_time = max(self._book_time, transaction_time)
        self._traded.clear()
        for level in [level for level in self._taken if touched(*level)]:
            del self._taken[level]

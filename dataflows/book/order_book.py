"""The order book as a class, for whoever needs a book by itself, such as a simulated venue.

It is a thin shell around the kernels that the market actor runs, so both always see the same book. It knows levels by
price and quantity and no single orders.
"""

from decimal import Decimal

import numpy as np

from dataflows.book import sync
from dataflows.book.reading import best_levels, quantity_at
from dataflows.book.state import BOOK, NO_HORIZON, SYNCED, BookResult, BookSide, new_book
from dataflows.kernels import Floats, Integers, RecordArray, kernel
from sluice.errors import InputError

_SIDES = {BookSide.BID: "bids", BookSide.ASK: "asks"}


class OrderBook:
    """One instrument's book, fed with snapshots and differences. Levels come in as arrays of shape (n, 2)."""

    def __init__(self, tick_size: Decimal) -> None:
        self._tick_size = tick_size
        self._record = new_book(tick_size)

    @property
    def synced(self) -> bool:
        """Tell whether every difference since the last snapshot has been applied."""
        return bool(self._record["status"][0] == SYNCED)

    @property
    def last_update_id(self) -> int:
        """Return the update id that the book is as of."""
        return int(self._record["last_update_id"][0])

    def apply_snapshot(self, last_update_id: int, bids: Floats, asks: Floats) -> BookResult:
        """Load a snapshot and join the waiting differences to it."""
        return BookResult(_snapshot(self._record, last_update_id, bids, asks))

    def apply_update(
        self, first_update_id: int, last_update_id: int, previous_update_id: int, bids: Floats, asks: Floats,
    ) -> BookResult:
        """Take a difference by the venue's sequence rules (`U`, `u`, `pu`)."""
        return BookResult(_update(self._record, first_update_id, last_update_id, previous_update_id, bids, asks))

    def best_bid(self) -> Decimal | None:
        """Return the best bid, exact, or None where there is none."""
        return self._best(BookSide.BID)

    def best_ask(self) -> Decimal | None:
        """Return the best ask, exact, or None where there is none."""
        return self._best(BookSide.ASK)

    def best_quantity(self, side: BookSide) -> float:
        """Return the quantity at the best price of a side; 0 where there is none."""
        return float(_quantity(self._record, side is BookSide.BID, self._best_key(side)))

    def quantity_at(self, side: BookSide, price: Decimal) -> float:
        """Return the quantity at a price: 0 where there is none, NaN where the book is full and has forgotten it.

        Raises `InputError` where the price is no multiple of the tick size.
        """
        ticks = price / self._tick_size
        if ticks != ticks.to_integral_value():
            raise InputError(f"price must be a multiple of {self._tick_size}, was {price}")
        return float(_quantity(self._record, side is BookSide.BID, int(ticks) * side.value))

    def levels(self, side: BookSide, depth: int) -> list[tuple[Decimal, float]]:
        """Return up to `depth` levels of a side, the best first, only those that the book knows for certain."""
        keys, quantities = np.empty(depth, np.int64), np.empty(depth)
        count = _levels(self._record, side is BookSide.BID, keys, quantities)
        return [
            (key * side.value * self._tick_size, quantity)
            for key, quantity in zip(keys[:count].tolist(), quantities[:count].tolist(), strict=True)
        ]

    def to_bytes(self) -> bytes:
        """Return a copy of the whole state."""
        return self._record.tobytes()

    def restore(self, state: bytes) -> None:
        """Take back a state of `to_bytes`. Raises `InputError` where its size is another."""
        if len(state) != BOOK.itemsize:
            raise InputError(f"a book's state must have {BOOK.itemsize} bytes, had {len(state)}")
        self._record = np.frombuffer(state, BOOK).copy()

    def _best(self, side: BookSide) -> Decimal | None:
        key = self._best_key(side)
        return None if key == NO_HORIZON else key * side.value * self._tick_size

    def _best_key(self, side: BookSide) -> int:
        return int(self._record[_SIDES[side]]["best"][0])


@kernel
def _snapshot(book: RecordArray, last: int, bids: Floats, asks: Floats) -> int:
    return sync.snapshot(book[0], last, bids, asks)


@kernel
def _update(book: RecordArray, first: int, last: int, previous: int, bids: Floats, asks: Floats) -> int:
    return sync.update(book[0], first, last, previous, bids, asks)


@kernel
def _levels(book: RecordArray, bid: bool, keys: Integers, quantities: Floats) -> int:
    return best_levels(book[0].bids if bid else book[0].asks, keys, quantities)


@kernel
def _quantity(book: RecordArray, bid: bool, key: int) -> float:
    return quantity_at(book[0].bids if bid else book[0].asks, key)

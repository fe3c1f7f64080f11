"""What a book does that has no room for all levels."""

from decimal import Decimal

import numpy as np

from dataflows.book import BookResult, BookSide, OrderBook
from dataflows.book.state import FAR_CAPACITY, WINDOW
from tests.dataflows.book.builders import NONE, TICK, row, rows

TOP, FURTHEST = 100_000, 70_000
assert TOP - FURTHEST > WINDOW + FAR_CAPACITY


def full_book() -> OrderBook:
    """A book with its best bid at TOP and all far levels that there is room for, from FURTHEST on."""
    book = OrderBook(TICK)
    bids = rows([(TOP, 1.0), *((FURTHEST + number, 1.0) for number in range(FAR_CAPACITY))])
    assert book.apply_snapshot(10, bids, row(("10000.1", 1))) is BookResult.LOADED
    book.apply_update(10, 11, 9, NONE, NONE)
    return book


def test_a_full_side_forgets_its_furthest_level_and_does_not_claim_to_know_it() -> None:
    book = full_book()
    assert book.apply_update(12, 13, 11, rows([(FURTHEST, 0.0)]), NONE) is BookResult.APPLIED
    assert book.apply_update(14, 15, 13, rows([(FURTHEST + 1, 2.0), (100, 1.0)]), NONE) is BookResult.APPLIED
    assert book.quantity_at(BookSide.BID, 100 * TICK) == 1.0
    assert book.apply_update(16, 17, 15, rows([(FURTHEST, 3.0)]), NONE) is BookResult.APPLIED
    assert np.isnan(book.quantity_at(BookSide.BID, 100 * TICK))
    assert np.isnan(book.quantity_at(BookSide.BID, 99 * TICK))
    assert book.quantity_at(BookSide.BID, 101 * TICK) == 0.0
    assert book.quantity_at(BookSide.BID, (FURTHEST + 1) * TICK) == 2.0
    levels = book.levels(BookSide.BID, 2 * FAR_CAPACITY)
    assert levels[0] == (TOP * TICK, 1.0)
    assert levels[-1] == (FURTHEST * TICK, 3.0)
    assert len(levels) == FAR_CAPACITY + 1


def test_a_full_side_forgets_a_new_level_that_is_the_furthest() -> None:
    book = full_book()
    assert book.apply_update(12, 13, 11, rows([(50, 1.0)]), NONE) is BookResult.APPLIED
    assert np.isnan(book.quantity_at(BookSide.BID, 50 * TICK))
    assert len(book.levels(BookSide.BID, 2 * FAR_CAPACITY)) == FAR_CAPACITY + 1


def test_a_book_is_stale_once_its_best_price_is_beyond_what_it_remembers() -> None:
    book = full_book()
    assert book.apply_update(12, 13, 11, rows([(50, 1.0)]), NONE) is BookResult.APPLIED
    emptied = rows([(TOP, 0.0), *((FURTHEST + number, 0.0) for number in range(FAR_CAPACITY)), (49, 1.0)])
    assert book.apply_update(14, 15, 13, emptied, NONE) is BookResult.BEYOND_HORIZON
    assert not book.synced
    assert book.levels(BookSide.BID, 9) == []
    assert book.apply_snapshot(15, row(("5.0", 1)), row(("5.1", 1))) is BookResult.LOADED
    assert book.quantity_at(BookSide.BID, Decimal("4.9")) == 0.0


def test_a_snapshot_gives_a_synced_book_back_what_it_had_forgotten() -> None:
    book = full_book()
    assert book.apply_update(12, 13, 11, rows([(50, 1.0)]), NONE) is BookResult.APPLIED
    assert np.isnan(book.quantity_at(BookSide.BID, 49 * TICK))
    assert book.apply_snapshot(15, rows([(TOP, 1.0), (40, 2.0)]), row(("10000.1", 1))) is BookResult.BUFFERED
    assert book.apply_update(14, 16, 13, NONE, NONE) is BookResult.REJOINED
    assert book.levels(BookSide.BID, 9) == [(TOP * TICK, 1.0), (40 * TICK, 2.0)]
    assert book.quantity_at(BookSide.BID, 50 * TICK) == 0.0
    assert np.isnan(book.quantity_at(BookSide.BID, 39 * TICK))

import math
from decimal import Decimal

import numpy as np
import pytest

from dataflows.book import BookSide, OrderBook
from dataflows.book.reading import best_levels, quantity_within
from dataflows.book.state import FAR_CAPACITY, WINDOW
from dataflows.kernels import Floats, Integers, RecordArray, kernel

TICK = Decimal("0.5")


@kernel
def levels(book: RecordArray, bid: bool, keys: Integers, quantities: Floats) -> int:
    return best_levels(book[0].bids if bid else book[0].asks, keys, quantities)


@kernel
def within(book: RecordArray, bid: bool, furthest_key: int) -> float:
    return quantity_within(book[0].bids if bid else book[0].asks, furthest_key)


def book_of(bids: dict[int, float], asks: dict[int, float]) -> OrderBook:
    book = OrderBook(TICK)
    rows = [np.array([[ticks / 2, quantity] for ticks, quantity in side.items()]).reshape(-1, 2)
            for side in (bids, asks)]
    book.apply_snapshot(1, *rows)
    return book


def read(book: OrderBook, side: BookSide, number: int) -> list[tuple[int, float]]:
    keys, quantities = np.zeros(number, np.int64), np.zeros(number)
    count = levels(book._record, side is BookSide.BID, keys, quantities)
    assert not keys[count:].any()
    return [(int(key), float(quantity)) for key, quantity in zip(keys[:count], quantities[:count], strict=True)]


BOOK = book_of({200: 1.5, 190: 4.0, 198: 2.0, 10: 8.0}, {202: 0.5, 300: 1.0})


@pytest.mark.parametrize("number", [0, 1, 3, 4, 50])
def test_levels_come_best_first_and_no_more_than_asked_for(number: int) -> None:
    assert read(BOOK, BookSide.BID, number) == [(200, 1.5), (198, 2.0), (190, 4.0), (10, 8.0)][:number]
    assert read(BOOK, BookSide.ASK, number) == [(-202, 0.5), (-300, 1.0)][:number]


@pytest.mark.parametrize(
    ("furthest", "quantity"),
    [(201, 0.0), (200, 1.5), (199, 1.5), (198, 3.5), (190, 7.5), (11, 7.5), (10, 15.5), (-5, 15.5), (-2**62, 15.5)],
)
def test_the_quantity_within_a_key_counts_the_level_at_it(furthest: int, quantity: float) -> None:
    assert within(BOOK._record, True, furthest) == quantity


def test_the_asks_are_read_by_their_negative_prices() -> None:
    assert within(BOOK._record, False, -201) == 0.0
    assert within(BOOK._record, False, -299) == 0.5
    assert within(BOOK._record, False, -300) == 1.5


def test_an_empty_side_has_no_levels_and_no_quantity() -> None:
    empty = book_of({}, {})
    assert read(empty, BookSide.BID, 5) == []
    assert within(empty._record, True, 0) == 0.0


def test_what_lies_beyond_forgotten_levels_is_not_told() -> None:
    top, known = 3 * WINDOW, WINDOW
    book = book_of({top: 1.0, **{known + number: 1.0 for number in range(-1, FAR_CAPACITY)}}, {})
    assert within(book._record, True, known) == FAR_CAPACITY + 1
    assert math.isnan(within(book._record, True, known - 1))
    book.apply_update(1, 2, 1, np.array([[known / 2, 0.0], [(known - 5) / 2, 1.0]]), np.empty((0, 2)))
    assert read(book, BookSide.BID, 2 * FAR_CAPACITY)[-1] == (known + 1, 1.0)


def test_the_whole_depth_is_read_through_the_window_and_beyond() -> None:
    """Every fifth tick has a level, so that the sums end at every place of what is added up together."""
    top, number = 100_000, 3000
    bids = {top - 5 * step: 1.0 + step for step in range(number)}
    book = book_of(bids, {})
    assert read(book, BookSide.BID, 2 * number) == list(bids.items())
    totals = np.cumsum(list(bids.values()))
    for step in (*range(20), *range(1600, 1650), number - 1):
        for past in range(5):
            assert within(book._record, True, top - 5 * step - past) == totals[step]

from decimal import Decimal
from typing import TypeAlias

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflows.book import BookResult, BookSide, OrderBook
from dataflows.book.state import PENDING_CAPACITY, PENDING_LEVEL_CAPACITY
from sluice.errors import InputError
from tests.dataflows.book.builders import NONE, TICK, row, rows
from tests.dataflows.book.plain_book import Level, PlainBook, Update

Step: TypeAlias = Update | tuple[int, list[Level], list[Level]]

QUANTITIES = st.sampled_from([0.0, 0.5, 1.0, 2.5])
# Most levels lie near the touch, some further away than the book's window spans.
BID_PRICES = st.integers(100_090, 100_101) | st.sampled_from([91_000, 91_001, 50_000])
ASK_PRICES = st.integers(100_100, 100_111) | st.sampled_from([109_000, 109_001, 150_000])
BIDS, ASKS = (st.dictionaries(prices, QUANTITIES, max_size=6) for prices in (BID_PRICES, ASK_PRICES))


def take(book: OrderBook, update: Update) -> BookResult:
    return book.apply_update(update.first, update.last, update.previous, rows(update.bids), rows(update.asks))


def levels(draw: st.DrawFn, side: st.SearchStrategy[dict[int, float]], moved: int) -> list[Level]:
    return [(ticks + moved, quantity) for ticks, quantity in draw(side).items()]


@st.composite
def streams(draw: st.DrawFn) -> list[Step]:
    """Make a stream that mostly keeps the venue's rules, with gaps, repetitions, overlaps and snapshots anywhere.

    Some snapshots are of quite another price.
    """
    steps: list[Step] = []
    last, moved = 100, 0
    for _ in range(draw(st.integers(1, 25))):
        kind = draw(st.sampled_from(["next", "next", "next", "next", "gap", "old", "snapshot", "snapshot"]))
        if kind == "snapshot":
            moved = draw(st.sampled_from([0, 0, 0, 20_000, -20_000]))
            steps.append((last + draw(st.integers(-3, 3)), levels(draw, BIDS, moved), levels(draw, ASKS, moved)))
            continue
        start = {"next": last, "gap": last + 2, "old": max(0, last - 6)}[kind]
        end = start + draw(st.integers(1, 4))
        steps.append(Update(start + 1, end, start, levels(draw, BIDS, moved), levels(draw, ASKS, moved)))
        last = max(last, end)
    return steps


@given(streams())
def test_the_book_does_what_the_venues_rules_say_of_any_stream(steps: list[Step]) -> None:
    book, plain = OrderBook(TICK), PlainBook()
    for step in steps:
        if isinstance(step, Update):
            assert take(book, step) is plain.update(step)
        else:
            last, bids, asks = step
            assert book.apply_snapshot(last, rows(bids), rows(asks)) is plain.snapshot(last, bids, asks)
        assert book.synced == plain.synced
        assert book.levels(BookSide.BID, 99) == [(t * TICK, q) for t, q in sorted(plain.bids.items(), reverse=True)]
        assert book.levels(BookSide.ASK, 99) == [(t * TICK, q) for t, q in sorted(plain.asks.items())]


@given(streams(), st.integers(0, 25))
def test_a_book_that_was_written_down_and_restored_goes_on_to_the_same_bytes(steps: list[Step], cut: int) -> None:
    whole, parted = OrderBook(TICK), OrderBook(TICK)
    for number, step in enumerate(steps):
        if number == cut:
            state = parted.to_bytes()
            parted = OrderBook(TICK)
            parted.restore(state)
        for book in (whole, parted):
            if isinstance(step, Update):
                take(book, step)
            else:
                book.apply_snapshot(step[0], rows(step[1]), rows(step[2]))
    assert whole.to_bytes() == parted.to_bytes()


def test_a_book_is_stale_until_a_difference_joins_its_snapshot() -> None:
    book = OrderBook(TICK)
    assert book.apply_snapshot(10, row(("1.0", 5)), row(("1.1", 6))) is BookResult.LOADED
    assert not book.synced
    assert book.apply_update(2, 9, 1, row(("1.0", 99)), NONE) is BookResult.IGNORED
    assert book.apply_update(8, 12, 7, row(("1.0", 7)), NONE) is BookResult.APPLIED
    assert book.synced
    assert (book.best_bid(), book.best_ask()) == (Decimal("1.0"), Decimal("1.1"))
    assert (book.best_quantity(BookSide.BID), book.best_quantity(BookSide.ASK)) == (7.0, 6.0)
    assert book.last_update_id == 12


def test_a_snapshot_that_ends_where_a_difference_ended_is_joined_by_the_next() -> None:
    book = OrderBook(TICK)
    book.apply_snapshot(10, row(("1.0", 5)), row(("1.1", 6)))
    assert book.apply_update(15, 20, 10, NONE, NONE) is BookResult.APPLIED


def test_a_gap_makes_the_book_stale_and_its_own_frame_waits_for_the_next_snapshot() -> None:
    book = OrderBook(TICK)
    book.apply_snapshot(10, row(("1.0", 5)), row(("1.1", 6)))
    book.apply_update(11, 12, 10, NONE, NONE)
    assert book.apply_update(16, 20, 15, row(("0.9", 3)), NONE) is BookResult.GAP
    assert not book.synced
    assert book.apply_update(21, 25, 20, row(("0.8", 4)), NONE) is BookResult.BUFFERED
    assert book.apply_snapshot(14, row(("1.0", 1)), row(("1.1", 1))) is BookResult.SNAPSHOT_TOO_OLD
    assert book.apply_snapshot(18, row(("1.0", 1)), row(("1.1", 1))) is BookResult.APPLIED
    assert book.synced
    assert book.last_update_id == 25
    assert book.levels(BookSide.BID, 5) == [(Decimal("1.0"), 1.0), (Decimal("0.9"), 3.0), (Decimal("0.8"), 4.0)]


def joined_book() -> OrderBook:
    book = OrderBook(TICK)
    book.apply_snapshot(10, row(("1.0", 5), ("0.9", 1), ("0.8", 2)), row(("1.1", 6)))
    book.apply_update(11, 12, 10, NONE, NONE)
    return book


def test_a_snapshot_no_newer_than_a_synced_book_changes_nothing() -> None:
    book = joined_book()
    before = book.to_bytes()
    assert book.apply_snapshot(12, row(("0.5", 5)), NONE) is BookResult.IGNORED
    assert book.to_bytes() == before


def test_a_snapshot_newer_than_a_synced_book_leaves_it_synced_and_tells_it_what_it_lacked() -> None:
    book = joined_book()
    assert book.apply_snapshot(17, row(("1.0", 7), ("0.9", 1), ("0.85", 3)), NONE) is BookResult.OFF_TICK
    assert book.apply_snapshot(17, row(("1.0", 7), ("0.9", 3)), row(("1.1", 6), ("1.2", 4))) is BookResult.BUFFERED
    assert book.synced
    assert book.best_quantity(BookSide.BID) == 5.0
    assert book.apply_update(13, 15, 12, NONE, row(("1.2", 9))) is BookResult.APPLIED
    assert book.apply_update(16, 19, 15, row(("1.0", 8)), NONE) is BookResult.REJOINED
    assert book.synced
    assert book.last_update_id == 19
    assert book.levels(BookSide.BID, 9) == [(Decimal("1.0"), 8.0), (Decimal("0.9"), 3.0), (Decimal("0.8"), 2.0)]
    assert book.levels(BookSide.ASK, 9) == [(Decimal("1.1"), 6.0), (Decimal("1.2"), 4.0)]
    assert book.apply_update(20, 21, 19, NONE, NONE) is BookResult.APPLIED


def test_a_snapshot_newer_than_a_synced_book_bridges_a_stream_that_was_broken_before_it() -> None:
    book = joined_book()
    book.apply_snapshot(30, row(("2.0", 5)), row(("2.1", 6)))
    assert book.apply_update(29, 31, 28, NONE, NONE) is BookResult.REJOINED
    assert book.synced
    assert book.levels(BookSide.BID, 9) == [(Decimal("2.0"), 5.0)]


def test_a_broken_stream_that_has_not_come_up_to_the_waiting_snapshot_makes_the_book_stale_until_it_has() -> None:
    book = joined_book()
    book.apply_snapshot(30, row(("2.0", 5)), row(("2.1", 6)))
    assert book.apply_update(20, 25, 19, row(("1.5", 1)), NONE) is BookResult.LOADED
    assert not book.synced
    assert book.apply_update(26, 30, 25, NONE, NONE) is BookResult.APPLIED
    assert book.best_bid() == Decimal("2.0")


def test_a_waiting_snapshot_gives_way_to_a_newer_one_only() -> None:
    book = joined_book()
    assert book.apply_snapshot(30, row(("2.0", 5)), row(("2.1", 6))) is BookResult.BUFFERED
    assert book.apply_snapshot(30, row(("3.0", 5)), row(("3.1", 6))) is BookResult.IGNORED
    assert book.apply_snapshot(40, row(("4.0", 5)), row(("4.1", 6))) is BookResult.BUFFERED
    assert book.apply_update(45, 50, 40, NONE, NONE) is BookResult.REJOINED
    assert book.best_bid() == Decimal("4.0")


def test_a_book_that_crosses_while_a_snapshot_waits_is_that_snapshot_from_then_on() -> None:
    book = joined_book()
    book.apply_snapshot(30, row(("2.0", 5)), row(("2.1", 6)))
    assert book.apply_update(13, 20, 12, row(("1.1", 1)), NONE) is BookResult.CROSSED
    assert not book.synced
    assert book.apply_update(21, 31, 20, NONE, NONE) is BookResult.APPLIED
    assert book.best_bid() == Decimal("2.0")


def test_a_snapshot_too_large_to_wait_is_ignored() -> None:
    book = joined_book()
    many = rows([(number, 1.0) for number in range(1, PENDING_LEVEL_CAPACITY + 2)])
    before = book.to_bytes()
    assert book.apply_snapshot(30, many, NONE) is BookResult.IGNORED
    assert book.to_bytes() == before


def test_a_crossed_book_is_stale_until_the_next_snapshot() -> None:
    book = OrderBook(TICK)
    book.apply_snapshot(10, row(("1.0", 5)), row(("1.1", 6)))
    assert book.apply_update(11, 12, 10, row(("1.1", 1)), NONE) is BookResult.CROSSED
    assert not book.synced
    assert book.apply_snapshot(12, row(("1.0", 5)), row(("1.1", 6))) is BookResult.LOADED
    assert book.apply_snapshot(13, row(("1.2", 5)), row(("1.1", 6))) is BookResult.CROSSED


def test_a_price_off_the_tick_changes_nothing() -> None:
    book = OrderBook(TICK)
    book.apply_snapshot(10, row(("1.0", 5)), row(("1.1", 6)))
    before = book.to_bytes()
    assert book.apply_update(11, 12, 10, row(("1.0", 0), ("0.95", 1)), NONE) is BookResult.OFF_TICK
    assert book.apply_update(11, 12, 10, NONE, row(("1e300", 1))) is BookResult.OFF_TICK
    assert book.apply_snapshot(11, NONE, row(("1.15", 1))) is BookResult.OFF_TICK
    assert book.to_bytes() == before


@given(st.sampled_from(["0.1", "0.01", "0.05", "0.25", "5", "0.0001", "0.00000010"]), st.integers(1, 10**8))
def test_prices_come_back_exact_whatever_the_tick_size(tick: str, ticks: int) -> None:
    price = ticks * Decimal(tick)
    book = OrderBook(Decimal(tick))
    assert book.apply_snapshot(1, np.array([[float(price), 1.5]]), NONE) is BookResult.LOADED
    assert book.best_bid() == price
    assert book.best_ask() is None
    assert book.quantity_at(BookSide.BID, price) == 1.5
    assert book.quantity_at(BookSide.BID, price + Decimal(tick)) == 0.0
    assert book.quantity_at(BookSide.ASK, price) == 0.0


def test_quantity_at_refuses_a_price_off_the_tick() -> None:
    with pytest.raises(InputError, match=r"multiple of 0.10, was 1.05"):
        OrderBook(TICK).quantity_at(BookSide.BID, Decimal("1.05"))


def test_the_oldest_differences_go_when_too_many_wait() -> None:
    book = OrderBook(TICK)
    number = PENDING_CAPACITY + 10
    for last in range(1, number + 1):
        assert book.apply_update(last, last, last - 1, row((f"{last}.0", 1)), NONE) is BookResult.BUFFERED
    assert book.apply_snapshot(1, NONE, NONE) is BookResult.SNAPSHOT_TOO_OLD
    assert book.apply_snapshot(number - 2, NONE, NONE) is BookResult.APPLIED
    assert [price for price, _ in book.levels(BookSide.BID, 9)] == [Decimal(number - back) for back in range(3)]


def test_a_difference_too_large_to_wait_breaks_the_chain() -> None:
    book = OrderBook(TICK)
    many = rows([(number, 1.0) for number in range(1, PENDING_LEVEL_CAPACITY + 2)])
    book.apply_update(1, 1, 0, NONE, NONE)
    assert book.apply_update(2, 2, 1, many, NONE) is BookResult.GAP
    assert book.apply_update(3, 3, 2, row(("1.0", 1)), NONE) is BookResult.BUFFERED
    assert book.apply_snapshot(3, NONE, NONE) is BookResult.APPLIED


def test_waiting_levels_leave_nothing_behind_when_they_are_dropped() -> None:
    book, fresh = OrderBook(TICK), OrderBook(TICK)
    book.apply_update(1, 5, 0, row(("1.0", 1)), row(("1.1", 1)))
    book.apply_update(6, 9, 5, row(("0.9", 1)), NONE)
    for each in (book, fresh):
        each.apply_snapshot(20, row(("1.0", 1)), NONE)
    assert book.to_bytes() == fresh.to_bytes()


def test_a_state_of_another_size_is_refused() -> None:
    with pytest.raises(InputError, match="bytes, had 3"):
        OrderBook(TICK).restore(b"abc")


@pytest.mark.parametrize("tick_size", ["0", "-0.1"])
def test_a_tick_size_that_is_not_positive_is_refused(tick_size: str) -> None:
    with pytest.raises(InputError, match="tick_size must be positive"):
        OrderBook(Decimal(tick_size))

"""What the rows of a tick say of books that are not whole."""

import msgspec

from dataflows.actors.market import BookHealth, BookTop, FeatureRow
from dataflows.staleness import NO_SNAPSHOT, NOT_JOINED, BookStale, LostBook, book_stale
from dataflows.statistics import Counts, FlowStatistics


def a_row(instrument: str, health: BookHealth) -> FeatureRow:
    top = BookTop(1.0, 1.0, 2.0, 1.0, 1.5, health.joins > 0 and not health.stale_cause, 1)
    return FeatureRow(instrument, 1, 1, "hash", (), (), top, 0, 0, health)


def test_whole_books_give_nothing_to_say() -> None:
    assert book_stale([a_row("A", BookHealth(1, 1)), a_row("B", BookHealth(3, 1))]) == BookStale()


def test_a_book_that_never_synced_says_whether_there_was_a_snapshot() -> None:
    found = book_stale([a_row("A", BookHealth()), a_row("B", BookHealth(snapshots=2))])
    assert found == BookStale(never_synced={"A": NO_SNAPSHOT, "B": NOT_JOINED})


def test_losses_are_counted_over_all_books_and_one_that_came_back_is_lost_no_more() -> None:
    found = book_stale([
        a_row("A", BookHealth(2, 3, lost_to_gap=2)),
        a_row("B", BookHealth(1, 3, lost_to_gap=1, lost_to_crossing=1, lost_to_horizon=1,
                              stale_cause="horizon", stale_since_ns=77)),
    ])
    assert found == BookStale({"gap": 3, "crossed": 1, "horizon": 1}, {}, {"B": LostBook("horizon", 77)})


def test_statistics_keep_it_over_a_restart_and_tell_it_as_json() -> None:
    statistics = FlowStatistics()
    statistics.counts.book_stale = BookStale({"gap": 1}, {"A": NO_SNAPSHOT}, {"B": LostBook("gap", 5)})
    again = FlowStatistics(statistics.snapshot())
    assert again.counts == statistics.counts
    assert msgspec.json.decode(again.as_json())["book_stale"] == {
        "by_cause": {"gap": 1}, "never_synced": {"A": NO_SNAPSHOT}, "lost": {"B": {"cause": "gap", "since_ns": 5}}}


def test_statistics_of_before_there_was_such_a_count_can_still_be_read() -> None:
    assert msgspec.json.decode(b'{"frames":3}', type=Counts).book_stale == BookStale()

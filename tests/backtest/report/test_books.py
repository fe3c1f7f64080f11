"""A user who replays a tape without a snapshot is told why nothing was traded."""

import json

import pytest

from backtest.report.books import books_section, lines_of
from backtest.report.html import page
from backtest.report.summary import Summary, render, summarise, to_json
from dataflows.staleness import NO_SNAPSHOT
from sluice.config import Settings
from tests.backtest.report.journals import CATALOG, START_NS, STATISTICS, a_run

PERPETUAL = "BINANCE_COINM:BTCUSD_PERP"
NEVER = f"The book of {PERPETUAL} never synced because no snapshot was in the tape."


def a_stale(**fields: object) -> dict[str, object]:
    return {"by_cause": {}, "never_synced": {}, "lost": {}, **fields}


def summary_of(book_stale: dict[str, object] | None) -> Summary:
    statistics = STATISTICS if book_stale is None else {**STATISTICS, "book_stale": book_stale}
    return summarise(a_run(seconds=20)[0], CATALOG, Settings(), statistics, 1.0)


def test_a_book_that_never_synced_is_one_line_in_terminal_and_page_and_a_key_in_json() -> None:
    found = a_stale(never_synced={PERPETUAL: NO_SNAPSHOT})
    summary = summary_of(found)

    assert NEVER in render(summary).splitlines()
    assert NEVER in page(summary, Settings(), {})
    assert json.loads(to_json(summary))["book_stale"] == found


@pytest.mark.parametrize(
    ("cause", "words"),
    [("gap", "a gap in its updates"), ("crossed", "a bid that reached the ask"), ("horizon", "a price beyond")],
)
def test_a_book_that_was_lost_for_good_says_when_and_to_what(cause: str, words: str) -> None:
    (line,) = lines_of(a_stale(lost={PERPETUAL: {"cause": cause, "since_ns": START_NS}}))
    assert line.startswith(f"The book of {PERPETUAL} was lost at 2024-08-08 23:54:16 UTC to {words}")


def test_losses_that_were_made_good_are_counted_only() -> None:
    summary = summary_of(a_stale(by_cause={"gap": 3}))
    assert lines_of(summary.book_stale) == []
    assert "book stale gap" in render(summary)
    assert "3 lost to a gap in its updates" in books_section(summary.book_stale)


def test_a_run_whose_books_were_whole_says_nothing_of_them() -> None:
    summary = summary_of(None)
    assert json.loads(to_json(summary))["book_stale"] == a_stale()
    assert "never synced" not in render(summary)
    assert books_section(summary.book_stale) == ""


def test_names_of_instruments_are_escaped_on_the_page() -> None:
    assert "<script>" not in books_section(a_stale(never_synced={"<script>": "x"}))

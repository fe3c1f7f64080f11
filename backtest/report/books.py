"""What the report says of books that could not be traded on: the reason why an instrument was not, in one line each."""

from collections.abc import Mapping
from html import escape
from typing import Any

from backtest.report.numbers import count
from backtest.report.scales import utc_short

_LOST_TO = {
    "gap": "a gap in its updates",
    "crossed": "a bid that reached the ask",
    "horizon": "a price beyond the levels that it held",
}


def lines_of(book_stale: Mapping[str, Any]) -> list[str]:
    """Return a line for each book that was never whole, or was not at the end; none where all were."""
    never = [
        f"The book of {instrument} never synced because {reason}."
        for instrument, reason in book_stale["never_synced"].items()
    ]
    lost = [
        f"The book of {instrument} was lost at {utc_short(found['since_ns'])} UTC to {_lost_to(found['cause'])} "
        "and did not come back."
        for instrument, found in book_stale["lost"].items()
    ]
    return never + lost


def books_section(book_stale: Mapping[str, Any]) -> str:
    """Return the same for the HTML page, with how often any book was lost; "" where none ever was."""
    times = [f"{count(number)} lost to {_lost_to(cause)}" for cause, number in book_stale["by_cause"].items()]
    lines = lines_of(book_stale) + ([f"Books in all: {', '.join(times)}."] if times else [])
    if not lines:
        return ""
    hint = "Nothing is traded on a book that is not in sync with the venue's stream."
    body = "".join(f"<p>{escape(line)}</p>" for line in lines)
    return f'<section id="books"><h2>Stale books</h2><p class="hint">{hint}</p>{body}</section>'


def _lost_to(cause: str) -> str:
    return _LOST_TO.get(cause, cause)

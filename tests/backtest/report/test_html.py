"""The HTML report: whole, self-contained, safe, and there whatever the run did."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from backtest.report.html import page, write_report
from backtest.report.journal import RunJournal
from backtest.report.prices import sample_prices
from backtest.report.summary import summarise
from dataflows.tapes.reader import TapeReader
from sluice.config import Settings
from tests.backtest.report.journals import CATALOG, STATISTICS, a_decision, a_run, an_order
from tests.backtest.venue.tapes import START_NS, make_tape

_VOID = {"meta", "br", "path", "rect"}


class Whole(HTMLParser):
    """Checks that every element is closed, and gathers what the page would load."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loaded: list[str] = []
        self.elements: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.loaded += [str(value) for name, value in attrs if name in ("src", "href", "xlink:href")]
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in _VOID:
            assert self.open.pop() == tag


def html_of(journal: RunJournal, prices: dict[str, list[tuple[int, float]]] | None = None) -> str:
    settings = Settings()
    return page(summarise(journal, CATALOG, settings, STATISTICS, 12.0), settings, prices or {})


@pytest.mark.parametrize("seconds", [0, 1, 344])
def test_page_is_whole_and_loads_nothing(seconds: int) -> None:
    shown = html_of(*a_run(seconds=seconds))

    parser = Whole()
    parser.feed(shown)
    assert parser.open == []
    assert parser.loaded == []
    assert "script" not in parser.elements
    assert not re.search(r"url\(|@import|https?://", shown)


def test_page_of_an_empty_run_says_that_there_was_nothing() -> None:
    shown = html_of(RunJournal())

    for words in ("nothing was traded", "No equity was recorded", "No order was sent", "Risk refused nothing"):
        assert words in shown


def test_every_fill_is_marked_on_its_chart() -> None:
    journal, prices = a_run()

    shown = html_of(journal, prices)

    assert shown.count('<i class="buy" style') == sum(fill.buy for fill in journal.fills)
    assert shown.count('<i class="sell" style') == sum(not fill.buy for fill in journal.fills)


def test_prices_are_drawn_where_nothing_was_filled() -> None:
    journal, prices = a_run(seconds=60)

    assert "BINANCE_USDM:ETHUSDT" in html_of(replace(journal, fills=(), orders=()), prices)


def test_what_comes_from_outside_is_escaped() -> None:
    evil = "<script>alert(1)</script>"
    decision = a_decision(1)
    refused = replace(a_decision(2, code="STALE_DATA"), reasons=({"code": "REASON_CODE_STALE_DATA", "message": evil},))
    journal = RunJournal((decision, refused), (an_order(decision, "REJECTED", evil),))

    assert evil not in html_of(journal)


def test_report_is_written_with_the_prices_of_the_tape(tmp_path: Path) -> None:
    settings = Settings.model_validate({"source": {"tapes": [make_tape(tmp_path / "tape.gz", steps=300)]}})
    summary = summarise(RunJournal(), CATALOG, settings, STATISTICS, 1.0)

    named = write_report(summary, settings, tmp_path / "out" / "report.html")

    assert named.report == str(tmp_path / "out" / "report.html")
    assert "BINANCE_COINM:BTCUSD_PERP" in Path(named.report).read_text(encoding="utf-8")


def test_prices_are_one_a_step_and_instrument(tmp_path: Path) -> None:
    tape = make_tape(tmp_path / "tape.gz", steps=300)

    prices = sample_prices(iter(TapeReader([tape])), CATALOG, 1_000_000_000)

    assert set(prices) == {"BINANCE_USDM:BTCUSDT", "BINANCE_COINM:BTCUSD_PERP"}
    for series in prices.values():
        assert [time // 1_000_000_000 for time, _ in series] == [START_NS // 1_000_000_000 + n for n in range(3)]
        assert all(59_000 < price < 61_000 for _, price in series)



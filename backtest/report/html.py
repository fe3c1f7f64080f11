"""The report as one self-contained HTML file: no script, no font, no picture and nothing from any network."""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

from backtest.report.books import books_section
from backtest.report.charted import equity_section, price_section, run_times
from backtest.report.charts import Point
from backtest.report.prices import read_prices
from backtest.report.scales import Scale, span, utc_short
from backtest.report.sections import (
    cards,
    dead_letters_section,
    facts_section,
    instruments_section,
    latency_section,
    limits_section,
    orders_section,
    states_section,
    vetoes_section,
)
from backtest.report.style import CSS
from backtest.report.summary import Summary, with_report
from sluice.config import Settings
from sluice.config.loading import catalog_of

_MARK = (
    '<svg viewBox="0 0 40 40" aria-hidden="true"><rect width="40" height="40" rx="9" fill="#0a6c8f"/>'
    '<path d="M11 7v26M29 7v26" stroke="#fff" stroke-width="3" stroke-linecap="round"/>'
    '<path d="M12.5 11h15v9h-15z" fill="#bfe6f3"/>'
    '<path d="M12.5 25.500q3.750-3 7.500 0t7.500 0M12.500 30.500q3.750-3 7.500 0t7.500 0" fill="none" stroke="#fff" '
    'stroke-width="2.200" stroke-linecap="round"/></svg>'
)


def write_report(summary: Summary, settings: Settings, path: Path) -> Summary:
    """Write the report to a path and return the summary that names it. Reads the tapes once for the prices."""
    prices: Mapping[str, Sequence[Point]] = {}
    if settings.source.tapes:
        instruments = settings.source.instruments
        catalog = catalog_of(settings)
        known = summary.journal.equity
        start, end = (known[0].event_time_ns, known[-1].event_time_ns) if known else (0, 0)
        prices = read_prices(settings.source.tapes, catalog.select(instruments) if instruments else catalog, start, end)
    named = with_report(summary, path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page(named, settings, prices), encoding="utf-8")
    return named


def page(summary: Summary, settings: Settings, prices: Mapping[str, Sequence[Point]]) -> str:
    """Return the whole page. `prices` are the series by instrument key, in nanoseconds and price."""
    times = run_times(summary, prices)
    parts = (
        _header(summary, settings, times),
        cards(summary),
        books_section(summary.book_stale),
        equity_section(summary, times),
        price_section(summary, prices, times),
        f'<div class="pair">{states_section(summary)}{vetoes_section(summary)}</div>',
        instruments_section(summary.instruments),
        f'<div class="pair">{latency_section(summary)}{dead_letters_section(summary)}</div>',
        orders_section(summary.journal.orders),
        limits_section(settings),
        facts_section(summary, settings),
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Sluice run {summary.digest[:12]}</title><style>{CSS}</style></head>"
        f"<body><main>{''.join(parts)}<footer>Written by Sluice from its journals and the tape. No order on this page "
        "was sent without a signed approval of the risk service.</footer></main></body></html>\n"
    )


def _header(summary: Summary, settings: Settings, times: Scale) -> str:
    start, end = int(times.low), int(times.high)
    when = "no event time"
    if end > 1:
        when = f"{utc_short(start)} to {utc_short(end)} UTC, {span(end - start)} of event time"
    speed = f", {(end - start) / 1e9 / summary.wall_s:,.1f} times as fast as it happened" if summary.wall_s > 0 else ""
    return (
        f"<header>{_MARK}<h1>Sluice run report</h1>"
        f'<span class="tag">{escape(settings.run.environment)}</span>'
        f'<div class="when">{when}{speed}<br><code>{escape(summary.digest)}</code></div></header>'
    )

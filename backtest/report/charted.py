"""The charts of a run: equity with the drawdown below it, and price with fills and the position below it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from html import escape

from backtest.report.charts import LineChart, Marker, Point
from backtest.report.journal import EquityRow, FillRow
from backtest.report.numbers import grouped, money, percent
from backtest.report.results import InstrumentResult, drawdowns
from backtest.report.scales import Scale, utc
from backtest.report.summary import Summary
from sluice.decimals import ZERO, text

_MOST_MARKERS = 1200
#: An account of fewer units is one of coins, of which small parts are worth telling.
_MANY_UNITS = 1000
_KEY = (
    '<div class="legend"><span>above: equity</span><span>below: drawdown in %</span><span>times are UTC</span></div>'
)


def run_times(summary: Summary, prices: Mapping[str, Sequence[Point]]) -> Scale:
    """Return the time axis that all charts share: from the first to the last thing that is known."""
    journal = summary.journal
    times = [row.event_time_ns for row in (*journal.equity[:1], *journal.equity[-1:])]
    times += [fill.event_time_ns for fill in journal.fills]
    times += [time for series in prices.values() for time, _ in (*series[:1], *series[-1:])]
    return Scale(min(times), max(times)) if times else Scale(0, 1)


def equity_section(summary: Summary, times: Scale) -> str:
    """Return the equity of each settlement asset that moved, or of the first where none did."""
    rows: dict[str, list[EquityRow]] = defaultdict(list)
    for row in summary.journal.equity:
        rows[row.asset].append(row)
    moved = {asset: found for asset, found in rows.items() if len({row.equity for row in found}) > 1}
    shown = moved or dict(list(rows.items())[:1])
    charts = "".join(_equity(asset, found, times) for asset, found in shown.items())
    still = [asset for asset in rows if asset not in shown]
    note = f'<p class="hint">Unchanged: {escape(", ".join(still))}.</p>' if still else ""
    return (
        '<section id="equity"><h2>Equity</h2><p class="hint">Balance plus unrealised PnL at mark price, at every tick; '
        "below it the fall from the highest equity so far.</p>"
        f'{charts or _nothing("No equity was recorded.")}{note}</section>'
    )


def _equity(asset: str, rows: Sequence[EquityRow], times: Scale) -> str:
    decimals = 2 if rows[0].equity >= _MANY_UNITS else 8
    result = f"{rows[0].equity:,.{decimals}f} to {rows[-1].equity:,.{decimals}f} {asset}"
    equity = [(row.event_time_ns, float(row.equity)) for row in rows]
    falls = [
        (row.event_time_ns, -100 * float(fall))
        for row, fall in zip(rows, drawdowns([row.equity for row in rows]), strict=True)
    ]
    lowest = min(value for _, value in equity)
    line = LineChart(equity, "equity", "equity", asset, decimals, 240, times, time_axis=False, base=lowest)
    fall = LineChart(falls, "fallen", "drawdown", "%", 4, 90, times, base=0.0, wanted_ticks=2)
    return f"<h3>{escape(asset)} <small class=hint>{escape(result)}</small></h3>{line.html()}{fall.html()}{_KEY}"


def price_section(summary: Summary, prices: Mapping[str, Sequence[Point]], times: Scale) -> str:
    """Return the price of every instrument that was traded with its fills; of all where none was."""
    fills: dict[str, list[FillRow]] = defaultdict(list)
    for fill in summary.journal.fills:
        fills[fill.instrument].append(fill)
    keys = sorted(fills) or sorted(prices)
    charts = "".join(
        _instrument(key, fills[key], prices.get(key, ()), summary.instruments.get(key), times) for key in keys
    )
    return (
        '<section id="fills"><h2>Price and fills</h2><p class="hint">Middle of the best prices, with our fills; '
        "below it the position that they built.</p>"
        f'{charts or _nothing("The tape named no price.")}</section>'
    )


def _instrument(
    key: str, fills: Sequence[FillRow], prices: Sequence[Point], result: InstrumentResult | None, times: Scale
) -> str:
    shown = fills[:: max(1, -(-len(fills) // _MOST_MARKERS))]
    line = prices or [(fill.event_time_ns, float(fill.price)) for fill in fills]
    quote = result.position.instrument.quote_asset if result else ""
    decimals = 6 if line and line[0][1] < 10 else 2
    markers = [_marker(fill) for fill in shown]
    price = LineChart(line, "price", "price", quote, decimals, 240, times, markers, time_axis=not fills)
    chart = price.html()
    if fills:
        chart += LineChart(
            _held(fills, times), "held", "position", "", 4, 80, times, step=True, base=0.0, wanted_ticks=3).html()
    return f"<h3>{escape(key)} <small class=hint>{_in_words(result)}</small></h3>{chart}{_legend_fills(fills, shown)}"


def _in_words(result: InstrumentResult | None) -> str:
    if result is None:
        return "no fills"
    position, instrument = result.position, result.position.instrument
    words = (
        f"{result.fills} fills, {percent(Decimal(result.maker_fills) / result.fills)} as maker, "
        f"realised {money(position.realised_pnl, signed=True)} {instrument.settlement_asset}, "
        f"fees {money(position.fees)}, position at the end {grouped(position.quantity)}"
    )
    return escape(words)


def _marker(fill: FillRow) -> Marker:
    side = "buy" if fill.buy else "sell"
    title = (
        f"{side} {text(fill.quantity)} @ {text(fill.price)}\n{'maker' if fill.maker else 'taker'}, "
        f"fee {text(fill.fee)} {fill.fee_asset}\n{utc(fill.event_time_ns)}"
    )
    return Marker(fill.event_time_ns, float(fill.price), side, title)


def _held(fills: Sequence[FillRow], times: Scale) -> list[Point]:
    held, points = ZERO, [(int(times.low), 0.0)]
    for fill in fills:
        held += fill.signed_quantity
        points.append((fill.event_time_ns, float(held)))
    return [*points, (int(times.high), float(held))]


def _legend_fills(fills: Sequence[FillRow], shown: Sequence[FillRow]) -> str:
    if not fills:
        return ""
    buys = sum(fill.buy for fill in fills)
    fewer = f"<span>{len(shown)} of {len(fills)} fills are drawn</span>" if len(shown) < len(fills) else ""
    return (
        f'<div class="legend"><span><i class="buy"></i>{buys} bought</span>'
        f'<span><i class="sell"></i>{len(fills) - buys} sold</span>{fewer}<span>times are UTC</span></div>'
    )


def _nothing(words: str) -> str:
    return f'<p class="nothing">{escape(words)}</p>'

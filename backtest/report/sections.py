"""The parts of the HTML report that are figures: cards, bars and tables. Everything from data is escaped here."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from html import escape
from typing import Any

from backtest.report.charts import Bar, bar_chart
from backtest.report.journal import DecisionRow, OrderRow
from backtest.report.numbers import count, money, percent, trimmed
from backtest.report.results import InstrumentResult
from backtest.report.scales import utc, utc_short
from backtest.report.summary import Summary
from dataflows.statistics import HOPS
from sluice.config import Settings
from sluice.decimals import text

_LAST_ORDERS = 40
_WIDE_FIGURE = 9
_MESSAGE = 44
_LOWEST_MS = 0.001


def cards(summary: Summary) -> str:
    """Return the key figures."""
    found = [_result_card(asset, summary) for asset, row in summary.assets.items() if row.net or row.fees]
    if not found:
        found = [_card("Net result", "0", "nothing was traded")]
    filled = summary.orders.get("FILLED", 0)
    found += [
        _card("Fills", count(summary.fills), f"{count(filled)} of {count(summary.approvals)} orders filled in full"),
        _card("Approved", count(summary.approvals), f"of {count(summary.counts['intents'])} intents"),
        _card("Vetoed", count(summary.vetoed), _reasons(len(summary.vetoes))),
        _card("Frames", count(summary.counts["frames"]), f"{count(summary.counts['dead_letters'])} dead letters"),
    ]
    if tick := summary.latency_ms.get(HOPS[-1]):
        found.append(_card("A whole tick, p50", f"{tick['p50']:.2f} <small>ms</small>", f"p99 {tick['p99']:.2f} ms"))
    return f'<div class="cards">{"".join(found)}</div>'


def _reasons(number: int) -> str:
    if number == 0:
        return "risk refused nothing"
    return "for one reason" if number == 1 else f"for {number} different reasons"


def _result_card(asset: str, summary: Summary) -> str:
    row = summary.assets[asset]
    kind = "gain" if row.net > 0 else "fall" if row.net < 0 else ""
    figure = f'<span class="{kind}">{money(row.net, signed=True)}</span>'
    drawdown = f", drawdown {percent(row.max_drawdown)}" if row.max_drawdown else ""
    return _card(f"Net result, {asset}", figure, f"after {money(row.fees)} fees{drawdown}")


def _card(what: str, figure: str, more: str) -> str:
    size = " long" if len(re.sub("<[^>]*>", "", figure)) > _WIDE_FIGURE else ""
    return (
        f'<div class="card"><div class="what">{escape(what)}</div><div class="figure{size}">{figure}</div>'
        f'<div class="more">{escape(more)}</div></div>'
    )


def states_section(summary: Summary) -> str:
    """Return how the orders ended."""
    most = max(summary.orders.values(), default=1)
    bars = [Bar(spoken(status), number / most, count(number)) for status, number in summary.orders.items()]
    return _section("Orders by final state", "Every approval became one order.", bars, "No order was sent.")


def vetoes_section(summary: Summary) -> str:
    """Return why risk refused, each reason with an example in risk's own words."""
    most = max(summary.vetoes.values(), default=1)
    examples = _examples(summary.journal.decisions)
    bars = [
        Bar(spoken(code), number / most, count(number), "veto", examples.get(code, ""))
        for code, number in summary.vetoes.items()
    ]
    hint = "A refused intent counts once for each of its reasons; below each, the latest example."
    return _section("Vetoes by reason", hint, bars, "Risk refused nothing.")


def _examples(decisions: Iterable[DecisionRow]) -> dict[str, str]:
    found: dict[str, str] = {}
    for decision in decisions:
        for code, reason in zip(decision.codes, decision.reasons, strict=True):
            found[code] = str(reason.get("message", ""))
    return found


def latency_section(summary: Summary) -> str:
    """Return p50 and p99 of every hop."""
    longest = max((row["p99"] for row in summary.latency_ms.values()), default=1.0)
    bars: list[Bar] = []
    for hop, row in summary.latency_ms.items():
        bars.append(Bar(spoken(hop), _logarithmic(row["p50"], longest), f"{row['p50']:.3f} ms", "tight"))
        bars.append(Bar("", _logarithmic(row["p99"], longest), f"{row['p99']:.3f} ms", "soft"))
    hint = "Upper bar p50, lower bar p99, wall clock, logarithmic. It decides nothing: decisions follow event time."
    return _section("Latency by hop", hint, bars, "No hop was measured.")


def dead_letters_section(summary: Summary) -> str:
    """Return why frames could not be used; "" where all could."""
    found = summary.dead_letters_by_reason
    most = max(found.values(), default=1)
    bars = [Bar(spoken(reason), number / most, count(number)) for reason, number in found.items()]
    return _section("Dead letters by reason", "Frames of the tape that could not be used.", bars, "") if bars else ""


def instruments_section(instruments: Mapping[str, InstrumentResult]) -> str:
    """Return the result of each instrument; "" where none was traded."""
    if not instruments:
        return ""
    rows = [_instrument_row(key, row) for key, row in instruments.items()]
    head = ("Instrument", "Fills", "Maker", "Volume", "Realised", "Fees", "Net realised", "Position", "Entry price")
    return f'<section id="instruments"><h2>Instruments</h2>{_table(head, rows)}</section>'


def _instrument_row(key: str, row: InstrumentResult) -> list[str]:
    position, instrument = row.position, row.position.instrument
    asset = instrument.settlement_asset
    return [
        escape(key), count(row.fills), percent(Decimal(row.maker_fills) / row.fills),
        f"{money(row.volume)} {instrument.quote_asset}", f"{money(position.realised_pnl, signed=True)} {asset}",
        f"{money(position.fees)} {asset}", f"{money(position.realised_pnl - position.fees, signed=True)} {asset}",
        text(position.quantity), money(position.entry_price) if position.quantity else "flat",
    ]


def orders_section(orders: Sequence[OrderRow]) -> str:
    """Return the last orders, the latest first."""
    if not orders:
        return ""
    shown = orders[-_LAST_ORDERS:][::-1]
    head = (
        "Sent, UTC", "Instrument", "Side", "Type", "Price", "Quantity", "Filled", "Average", "Fee", "State",
        "Venue's words")
    rows = [_order_row(row) for row in shown]
    hint = f"{len(shown)} of {count(len(orders))}, the latest first."
    body = _table(head, rows, left=(1, 2, 3, 9, 10))
    return f'<section id="orders"><h2>Last orders</h2><p class="hint">{hint}</p>{body}</section>'


def _order_row(row: OrderRow) -> list[str]:
    order = row.order
    side = str(order.get("side", "")).removeprefix("SIDE_").lower()
    kind = str(order.get("type", "")).removeprefix("ORDER_TYPE_").lower()
    force = str(order.get("time_in_force", "")).removeprefix("TIME_IN_FORCE_")
    reduces = " reduce-only" if order.get("reduce_only") else ""
    average = money(row.average_price) if row.average_price else ""
    return [
        f'<span title="{utc(row.created_at_ns)}">{utc_short(row.created_at_ns)[5:]}</span>', escape(row.instrument),
        f'<span class="side-{escape(side)}">{escape(side)}</span>',
        escape(f"{kind} {force}{reduces}"), escape(str(order.get("price", ""))), escape(str(order.get("quantity", ""))),
        text(row.filled_quantity), average, f"{trimmed(row.fees)} {escape(row.fee_asset)}" if row.fees else "",
        escape(spoken(row.status)), f'<span title="{escape(row.message)}">{escape(_cut(row.message))}</span>',
    ]


def limits_section(settings: Settings) -> str:
    """Return the risk limits that were in force."""
    limits = settings.risk.limits
    rows = [
        [escape(spoken(name)), escape(_plain(getattr(limits, name))), escape(field.description or "")]
        for name, field in type(limits).model_fields.items()
    ]
    body = _table(("Limit", "Value", "What it holds"), rows, left=(2,), wrapped=(2,))
    return f'<section id="limits"><h2>Risk limits</h2>{body}</section>'


def facts_section(summary: Summary, settings: Settings) -> str:
    """Return how the run was set up, and its digest."""
    venue = settings.execution.simulated
    models = {str(decision.intent.get("model_version", "")) for decision in summary.journal.decisions} - {""}
    facts = (
        ("Digest", f"<code>{escape(summary.digest)}</code>"),
        ("Tapes", "<br>".join(escape(tape) for tape in summary.tapes) or "none"),
        ("Tick interval", f"{settings.source.tick_interval_ms} ms of event time"),
        ("Order latency", f"{venue.order_latency_ms} ms"),
        ("Fees", f"maker {text(venue.maker_fee_bps)} bps, taker {text(venue.taker_fee_bps)} bps"),
        ("Strategy", escape(settings.strategy.name)),
        ("Model", escape(", ".join(sorted(models))) or "none"),
        ("Namespace", escape(settings.run.namespace)),
        ("Wall clock", f"{summary.wall_s:.1f} s"),
    )
    body = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in facts)
    hint = (
        "The digest is a SHA-256 over every decision, order and fill: the same tape and settings give the same digest, "
        "however the run was cut, restarted or killed."
    )
    return f'<section id="run"><h2>This run</h2><p class="hint">{hint}</p><dl>{body}</dl></section>'


def spoken(name: str) -> str:
    """Return a name of the code as words: PARTIALLY_FILLED as `partially filled`."""
    return name.lower().replace("_", " ")


def _section(title: str, hint: str, bars: Sequence[Bar], nothing: str) -> str:
    body = bar_chart(bars) if bars else f'<p class="nothing">{escape(nothing)}</p>'
    shown = f'<p class="hint">{escape(hint)}</p>' if bars else ""
    return f"<section><h2>{escape(title)}</h2>{shown}{body}</section>"


def _table(
    head: Sequence[str], rows: Sequence[Sequence[str]], left: Iterable[int] = (), wrapped: Iterable[int] = ()
) -> str:
    names = {0: "left"} | dict.fromkeys(left, "left")
    names |= {column: f"{names.get(column, '')} wrap".strip() for column in wrapped}

    def cells(tag: str, values: Sequence[str]) -> str:
        return "".join(
            f'<{tag} class="{names[column]}">{value}</{tag}>' if column in names else f"<{tag}>{value}</{tag}>"
            for column, value in enumerate(values))

    body = "".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    return f'<div class="scroll"><table><thead><tr>{cells("th", head)}</tr></thead><tbody>{body}</tbody></table></div>'


def _cut(words: str) -> str:
    return words if len(words) <= _MESSAGE else f"{words[: _MESSAGE - 1]}…"


def _logarithmic(value_ms: float, longest_ms: float) -> float:
    """Return the length of a bar from a microsecond on; the longest is 1."""
    if value_ms <= _LOWEST_MS or longest_ms <= _LOWEST_MS:
        return 0.0
    return math.log(value_ms / _LOWEST_MS) / math.log(longest_ms / _LOWEST_MS)


def _plain(value: Any) -> str:
    return f"{value.normalize():,f}" if isinstance(value, Decimal) else f"{value:,}"

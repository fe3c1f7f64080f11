"""The summary for a terminal: a few tables, plain where the output is no terminal."""

import io
import sys
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from backtest.report.books import lines_of
from backtest.report.numbers import count, grouped, money, percent
from backtest.report.results import InstrumentResult

_WIDTH = 100


def render_table(figures: Mapping[str, Any], instruments: Mapping[str, InstrumentResult]) -> str:
    """Return the tables of a summary's figures as text."""
    output = io.StringIO()
    console = Console(file=output, width=_WIDTH, force_terminal=sys.stdout.isatty(), highlight=False)
    parts: list[RenderableType] = [_flow(figures)]
    parts += [Text(line, style="bold", no_wrap=True, overflow="ignore") for line in lines_of(figures["book_stale"])]
    parts.append(_assets(figures["by_asset"]))
    if instruments:
        parts.append(_instruments(instruments))
    parts += [_orders(figures), _latency(figures["latency_ms"])]
    console.print(Group(*parts, _footer(figures)))
    return output.getvalue().rstrip()


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD, pad_edge=False)
    for index, column in enumerate(columns):
        table.add_column(column, justify="right" if index else "left")
    return table


def _flow(figures: Mapping[str, Any]) -> Table:
    names = ("frames", "dead_letters", "events", "features", "predictions", "intents", "approvals", "vetoed", "fills")
    table = _table("From the tape to the fills", *(name.replace("_", " ") for name in names))
    table.columns[0].justify = "right"
    table.add_row(*(count(figures[name]) for name in names))
    return table


def _assets(assets: Mapping[str, Mapping[str, Decimal]]) -> Table:
    table = _table("Result", "asset", "start", "end", "realised", "unrealised", "fees", "net", "max drawdown")
    for asset, row in assets.items():
        table.add_row(
            asset, money(row["start_equity"]), money(row["end_equity"]), money(row["pnl_realised"], signed=True),
            money(row["pnl_unrealised"], signed=True), money(row["fees"]), money(row["pnl_net"], signed=True),
            percent(row["max_drawdown"]))
    return table


def _instruments(instruments: Mapping[str, InstrumentResult]) -> Table:
    table = _table("Instruments", "instrument", "fills", "maker", "volume", "fees", "realised", "position")
    for key, row in instruments.items():
        instrument = row.position.instrument
        table.add_row(
            key, count(row.fills), percent(Decimal(row.maker_fills) / row.fills),
            f"{money(row.volume)} {instrument.quote_asset}",
            money(row.position.fees), f"{money(row.position.realised_pnl, signed=True)} {instrument.settlement_asset}",
            grouped(row.position.quantity))
    return table


def _orders(figures: Mapping[str, Any]) -> Table:
    table = _table("Orders and vetoes", "what", "count")
    for status, number in figures["orders"].items():
        table.add_row(f"orders {status.lower().replace('_', ' ')}", count(number))
    for code, number in figures["vetoes"].items():
        table.add_row(f"vetoes {code.lower().replace('_', ' ')}", count(number))
    for reason, number in figures["dead_letters_by_reason"].items():
        table.add_row(f"dead letters {reason.lower().replace('_', ' ')}", count(number))
    for cause, number in figures["book_stale"]["by_cause"].items():
        table.add_row(f"book stale {cause}", count(number))
    if not table.rows:
        table.add_row("none", "0")
    return table


def _latency(hops: Mapping[str, Mapping[str, float]]) -> Table:
    table = _table("Latency, milliseconds", "hop", "p50", "p99")
    for hop, row in hops.items():
        table.add_row(hop, f"{row['p50']:.3f}", f"{row['p99']:.3f}")
    return table


def _footer(figures: Mapping[str, Any]) -> Text:
    lines = [f"digest  {figures['digest']}", f"wall    {figures['wall_s']:.1f} s"]
    if figures["report"]:
        lines.append(f"report  {figures['report']}")
    return Text("\n".join(lines))

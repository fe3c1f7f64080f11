"""The summary: its keys, its counts and its money."""

import json
from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from backtest.report.journal import RunJournal
from backtest.report.results import drawdowns
from backtest.report.summary import Summary, render, summarise, to_json
from sluice.config import Settings
from sluice.positions import Position
from tests.backtest.report.journals import CATALOG, STATISTICS, a_decision, a_fill, a_run, an_order

KEYS = {
    "frames", "dead_letters", "events", "features", "predictions", "intents", "approvals", "vetoes", "orders", "fills",
    "fees", "pnl_realised", "pnl_unrealised", "latency_ms", "digest", "wall_s", "report",
    "book_stale",
}


def summary_of(journal: RunJournal) -> Summary:
    return summarise(journal, CATALOG, Settings(), STATISTICS, 12.345)


def test_summary_has_every_key_and_the_flows_counts() -> None:
    figures = json.loads(to_json(summary_of(a_run(seconds=60)[0])))

    assert set(figures) >= KEYS
    assert figures["frames"] == figures["events"] + figures["dead_letters"] == 168_609
    assert figures["latency_ms"]["whole"] == {"p50": 4.8, "p99": 14.2}
    assert figures["wall_s"] == 12.345


def test_a_veto_counts_once_as_a_decision_and_once_for_each_reason() -> None:
    stale = a_decision(2, code="STALE_DATA")
    both = replace(stale, reasons=stale.reasons + a_decision(2, code="ORDER_RATE").reasons)
    journal = RunJournal((a_decision(1), both))

    summary = summary_of(journal)

    assert (summary.approvals, summary.vetoed) == (1, 1)
    assert summary.vetoes == {"ORDER_RATE": 1, "STALE_DATA": 1}


def test_money_is_exact_in_the_json() -> None:
    fills = (a_fill(1, True, "61800.1"), a_fill(2, False, "61900.3"))
    figures = to_json(summary_of(RunJournal((a_decision(1),), (an_order(a_decision(1)),), fills)))

    assert '"pnl_realised": 2.004,' in figures
    assert '"fees": 0.4948016,' in figures


def test_money_of_several_settlement_assets_is_only_told_by_asset() -> None:
    perp = "BINANCE_COINM:BTCUSD_PERP"
    fills = (a_fill(1, True), a_fill(2, True, "61800", "3", perp))
    journal = RunJournal((a_decision(1), a_decision(2, perp)), (), fills)

    figures = json.loads(to_json(summary_of(journal)))

    assert figures["fees"] is figures["pnl_realised"] is figures["settlement_asset"] is None
    assert figures["by_asset"]["BTC"]["fees"] > 0 < figures["by_asset"]["USDT"]["fees"]


def test_money_of_a_run_without_fills_is_zero() -> None:
    figures = json.loads(to_json(summary_of(RunJournal())))

    assert figures["fees"] == figures["pnl_realised"] == figures["pnl_unrealised"] == 0
    assert figures["orders"] == figures["vetoes"] == figures["by_asset"] == {}


def test_results_are_those_of_the_shared_position() -> None:
    journal, _ = a_run()
    summary = summary_of(journal)

    for key, result in summary.instruments.items():
        expected = Position(CATALOG.require(key))
        for fill in journal.fills:
            if fill.instrument == key:
                expected = expected.with_fill(fill.signed_quantity, fill.price, fill.fee)
        assert result.position == expected
    assert summary.assets["USDT"].fees == sum(fill.fee for fill in journal.fills)


def test_terminal_form_names_the_figures() -> None:
    shown = render(summary_of(a_run()[0]))

    for word in ("168,609", "USDT", "BINANCE_USDM:BTCUSDT", "vetoes stale data", "orders filled", "digest", "p99"):
        assert word in shown
    assert render(summary_of(RunJournal()))


@given(st.lists(st.decimals(0, 10**9, places=2), max_size=50))
def test_drawdown_is_a_fraction_of_the_highest_so_far(equity: list[Decimal]) -> None:
    found = drawdowns(equity)

    assert len(found) == len(equity)
    assert all(0 <= fall <= 1 for fall in found)
    assert all(fall == 0 for index, fall in enumerate(found) if equity[index] == max(equity[: index + 1]))

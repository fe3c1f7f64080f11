"""A tape through the whole system: the same each time, however it is cut, with vetoes, on any tape."""

import gzip
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as trying
from hypothesis import strategies as st

from sluice.config import Settings
from sluice.envelope import client_order_id
from tests.backtest.system.running import Played, changed, played


def test_a_run_trades_and_its_counts_add_up(undisturbed: Played) -> None:
    summary = undisturbed.summary.as_dict()
    assert summary["frames"] == summary["events"] + summary["dead_letters"]
    assert summary["intents"] == summary["approvals"] + summary["vetoed"]
    assert summary["approvals"] == sum(summary["orders"].values())
    assert summary["fills"] > 0
    assert undisturbed.statistics["finished"]
    assert {order.status for order in undisturbed.journal.orders} <= {"FILLED", "CANCELED", "REJECTED", "EXPIRED"}


def test_a_second_run_says_the_same_although_its_keys_are_others(settings: Settings, undisturbed: Played) -> None:
    again = played(settings)
    assert again.summary.digest == undisturbed.summary.digest
    ours, theirs = (
        {record.signed_approval for record in run.rooms.decisions.records() if record.approved}
        for run in (again, undisturbed))
    assert ours
    assert not ours & theirs


@trying(max_examples=5)
@given(batch_lines=st.integers(1, 20_000))
def test_how_the_tape_is_cut_into_batches_changes_nothing(
    settings: Settings, undisturbed: Played, batch_lines: int,
) -> None:
    assert played(changed(settings, "source", batch_lines=batch_lines)).summary.digest == undisturbed.summary.digest


def test_every_order_is_of_an_approval_and_no_veto_has_one(settings: Settings) -> None:
    run = played(changed(settings, "limits", max_orders_per_window=1, order_window_ms=60_000))
    approved = {row.decision_id for row in run.journal.decisions if row.approved}
    refused = {row.decision_id for row in run.journal.decisions if not row.approved}
    assert approved
    assert refused
    assert {row.decision_id for row in run.journal.orders} == approved
    assert {row.client_order_id for row in run.journal.orders} == {client_order_id(name) for name in approved}
    assert sum(run.summary.vetoes.values()) >= len(refused)
    for row in run.journal.fills:
        assert row.decision_id in approved


def test_where_risk_refuses_everything_nothing_reaches_the_venue(settings: Settings) -> None:
    run = played(changed(settings, "limits", max_order_notional=Decimal("0.01")))
    assert run.summary.counts["intents"] > 0
    assert run.summary.approvals == 0
    assert run.journal.orders == ()
    assert run.journal.fills == ()
    assert run.rooms.execution.journal.reports == []
    assert run.summary.assets["USDT"].start == run.summary.assets["USDT"].end


def test_reports_are_numbered_without_a_hole_and_risk_has_counted_them(undisturbed: Played) -> None:
    rooms = undisturbed.rooms
    assert rooms.risk.reports.received == rooms.execution.desk.ledger.last_sequence
    assert len(rooms.execution.journal.reports) == rooms.execution.desk.ledger.last_sequence


def test_lines_that_are_none_are_counted_and_stop_nothing(settings: Settings, tape: Path, tmp_path: Path) -> None:
    (file,) = tape.glob("*.gz")
    lines = gzip.decompress(file.read_bytes()).splitlines(keepends=True)
    lines[100:100] = [b"no line\n", b"1700000000000000000 {]\n"]
    spoilt = tmp_path / file.name
    spoilt.write_bytes(gzip.compress(b"".join(lines)))
    run = played(changed(settings, "source", tapes=(spoilt,)))
    assert run.summary.counts["dead_letters"] == 2
    assert run.summary.counts["frames"] == len(lines)
    assert run.statistics["finished"]


def test_a_tape_that_breaks_off_is_played_to_where_it_breaks(settings: Settings, tape: Path, tmp_path: Path) -> None:
    (file,) = tape.glob("*.gz")
    broken = tmp_path / file.name
    broken.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    run = played(changed(settings, "source", tapes=(broken,)))
    assert run.summary.dead_letters_by_reason == {"TRUNCATED_FILE": 1}
    assert run.statistics["finished"]


@pytest.mark.needs("data")
@pytest.mark.parametrize(("names", "asset"), [
    (("usdm_btcusdt_20240808.gz",), "USDT"), (("cm_btcusd_perp_20240808.gz", "cm_btcusd_perp_20240809.gz"), "BTC")])
def test_a_recorded_market_is_traded_to_its_end(
    settings: Settings, data_folder: Path, names: tuple[str, ...], asset: str,
) -> None:
    tapes = tuple(data_folder / "ticks" / name for name in names)
    summary = played(changed(settings, "source", tapes=tapes)).summary
    assert summary.counts["frames"] == sum(gzip.decompress(tape.read_bytes()).count(b"\n") for tape in tapes)
    assert summary.counts["frames"] == summary.counts["events"]
    assert summary.fills > 0
    assert summary.settlement_asset == asset

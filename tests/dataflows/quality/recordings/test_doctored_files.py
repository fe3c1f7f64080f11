"""Recordings that were doctored on purpose: each changed line is named, and the true twins are clean."""

import gzip
from functools import cache
from pathlib import Path

import pytest

from dataflows.quality.recordings.check import check_recording
from dataflows.quality.recordings.findings import Report

pytestmark = pytest.mark.needs("data")

COIN_DEPTH = "test_{}_binance_difference_depth_stream_coin_m_futures_trxusd_perp_04-03-2025.csv.gz"
SPOT_DEPTH = "test_{}_binance_difference_depth_stream_spot_trxusdt_04-03-2025.csv.gz"
USDM_DEPTH = "test_{}_binance_difference_depth_stream_usd_m_futures_trxusdt_04-03-2025.csv.gz"
COIN_TRADES = "test_{}_binance_trade_stream_coin_m_futures_trxusd_perp_04-03-2025.csv.gz"
SPOT_TRADES = "test_{}_binance_trade_stream_spot_trxusdt_04-03-2025.csv.gz"
USDM_TRADES = "test_{}_binance_trade_stream_usd_m_futures_trxusdt_04-03-2025.csv.gz"
MERGED = ("merged_depth_snapshot_difference_depth_stream_trade_stream_usd_m_futures_trxusdt_14-04-2025_{}.csv.gz")
SNAPSHOTS = "test_{}_binance_depth_snapshot_spot_btcusdt_14-04-2025.csv.gz"

#: What is named in each doctored file, and where.
DOCTORED = {
    COIN_DEPTH: {
        "WRONG_SYMBOL": [2], "INVALID_PRICE": [2],
        # Line 3: an event time of 2020 and a transaction time of 0; line 4: an event time of 2023.
        "INVALID_TIME": [3, 3, 4],
        # Line 4: a side that is neither; line 10: a first update id above the final one.
        "MALFORMED_EVENT": [4, 10],
        "FAR_LEVEL": [8], "DUPLICATE_ID": [10], "SEQUENCE_GAP": [10],
        "OUTSIDE_DAY": [10_001], "LATE_RECEIPT": [10_001], "STALE_STREAM": [10_001],
    },
    SPOT_DEPTH: {
        "INVALID_TIME": [2], "INVALID_PRICE": [2], "MISSING_IDS": [9], "EVENT_FROM_FUTURE": [9],
        # Line 10 is right: it shows that line 9 was too late.
        "EVENT_TIME_REVERSED": [10],
        "OUTSIDE_DAY": [10_001], "STALE_STREAM": [10_001],
    },
    COIN_TRADES: {
        "LATE_RECEIPT": [2, 10_001], "FAR_PRICE": [4], "DUPLICATE_ID": [4], "MISSING_IDS": [5],
        "STALE_STREAM": [10_001],
    },
    SPOT_TRADES: {
        "DUPLICATE_ID": [4], "MISSING_IDS": [5], "LATE_RECEIPT": [10_001], "STALE_STREAM": [10_001]},
    USDM_TRADES: {"INVALID_PRICE": [2], "EMPTY_TRADE": [9_328]},
    # The final id of the update of lines 5,667 to 5,691 is wrong, which the next update shows.
    MERGED: {"INCONSISTENT_UPDATE": [146, 147], "SEQUENCE_GAP": [7_697]},
    # The file is its twin, byte for byte.
    USDM_DEPTH: {},
}
#: Remarks on true files: what is really in them.
REMARKS = {
    # The last rows were recorded, or were given a time, a day after those before them.
    COIN_DEPTH: {"STALE_STREAM": [10_001]}, SPOT_DEPTH: {"STALE_STREAM": [10_001]},
    # The venue sent a row of price 0 and quantity 0.
    USDM_TRADES: {"EMPTY_TRADE": [9_328]},
    COIN_TRADES: {}, SPOT_TRADES: {}, USDM_DEPTH: {}, MERGED: {}, SNAPSHOTS: {},
}
#: Changed lines whose change another line shows.
SHOWN_BY = {MERGED: dict.fromkeys(range(5_667, 5_692), 7_697)}


@cache
def report_of(path: Path) -> Report:
    return check_recording(path)


def named(report: Report) -> dict[str, list[int]]:
    return {reason: found.lines for reason, found in report.found.items()}


def changed_lines(doctored: Path, twin: Path) -> set[int]:
    """Return the lines of a doctored file that its twin has not, but for comments."""
    ours, theirs = (gzip.decompress(path.read_bytes()).splitlines() for path in (doctored, twin))
    offset = len(ours) - len(theirs)
    assert offset in (0, 1)
    return {at for at, line in enumerate(ours, start=1) if line != theirs[at - 1 - offset] and line[:1] != b"#"}


@pytest.mark.parametrize("name", DOCTORED, ids=lambda name: name[:60])
def test_each_corruption_is_named_with_its_line(data_folder: Path, name: str) -> None:
    doctored, twin = (data_folder / "corrupted" / name.format(kind) for kind in ("negative", "positive"))
    report = report_of(doctored)
    assert named(report) == DOCTORED[name]
    assert report.clean == (name == USDM_DEPTH)
    lines = {line for found in report.found.values() for line in found.lines}
    changed = changed_lines(doctored, twin)
    assert {SHOWN_BY.get(name, {}).get(line, line) for line in changed} <= lines
    assert bool(changed) != (name == USDM_DEPTH)


@pytest.mark.parametrize("name", REMARKS, ids=lambda name: name[:60])
def test_true_files_are_clean(data_folder: Path, name: str) -> None:
    report = report_of(data_folder / "corrupted" / name.format("positive"))
    assert report.clean
    assert named(report) == REMARKS[name]


def test_a_gap_names_the_update_that_it_follows(data_folder: Path) -> None:
    found = report_of(data_folder / "corrupted" / MERGED.format("negative")).found["SEQUENCE_GAP"]
    assert "ends at line 5691 (7267631291191), was 7267631291190" in found.first

"""What is wrong with a raw tape is named with its line; recorded tapes have nothing but what is really in them."""

import gzip
import json
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import zstandard

from dataflows.quality.recordings.check import check_recording
from dataflows.quality.recordings.findings import Report

MS = 1_000_000
START_MS = 1_723_161_254_000


def line(number: int, stream: str, **data: object) -> bytes:
    time = START_MS + 10 * number
    frame = {"stream": stream, "data": {"E": time, "T": time, "s": "BTCUSDT", **data}}
    return b"%d %b" % ((time + 1) * MS, json.dumps(frame, separators=(",", ":")).encode())


def trade(number: int, **other: object) -> bytes:
    data = {"e": "trade", "t": number, "p": "61000.0", "q": "0.5", "X": "MARKET", "m": True, **other}
    return line(number, "btcusdt@trade", **data)


def update(number: int, *, bid: str = "61000.0", ask: str = "61000.1", **other: object) -> bytes:
    data = {"e": "depthUpdate", "U": number * 10, "u": number * 10 + 5, "pu": number * 10 - 5,
            "b": [[bid, "1"]], "a": [[ask, "1"]], **other}
    return line(number, "btcusdt@depth@0ms", **data)


def ticker(number: int, **other: object) -> bytes:
    data = {"e": "bookTicker", "u": number, "b": "61000.0", "B": "1", "a": "61000.1", "A": "1", **other}
    return line(number, "btcusdt@bookTicker", **data)


def snapshot(number: int) -> bytes:
    levels: dict[str, Any] = {"bids": [["60999.0", "1"]], "asks": [["61001.0", "1"]]}
    return b"%d %b" % ((START_MS + 10 * number) * MS, json.dumps({"lastUpdateId": number * 10, **levels}).encode())


def checked(folder: Path, *lines: bytes) -> Report:
    path = folder / "a.txt"
    path.write_bytes(b"".join(one + b"\n" for one in lines))
    return check_recording(path)


def named(report: Report) -> dict[str, list[int]]:
    return {reason: found.lines for reason, found in report.found.items()}


def test_a_right_tape_is_clean(tmp_path: Path) -> None:
    report = checked(tmp_path, snapshot(1), update(1), trade(2), ticker(3), update(4, pu=15), trade(5, t=3))
    assert (named(report), report.form, report.lines) == ({}, "tape of BTCUSDT", 6)
    assert report.clean


@pytest.mark.parametrize(("wrong", "reason"), [
    (trade(4, t=3), "DUPLICATE_ID"), (trade(4, t=6), "MISSING_IDS"), (trade(4, p="91000.0"), "FAR_PRICE"),
    (trade(4, p="-1"), "INVALID_PRICE"), (trade(4, q="0"), "EMPTY_TRADE"), (trade(4, s="ETHUSDT"), "WRONG_SYMBOL"),
    (trade(4, E=START_MS + 1), "EVENT_TIME_REVERSED"), (trade(4, T=START_MS + 1), "TRANSACTION_TIME_REVERSED"),
    (trade(4, E=START_MS + 99), "EVENT_FROM_FUTURE"), (trade(4, E=START_MS - 999), "LATE_RECEIPT"),
    (trade(4, T=1), "INVALID_TIME"), (trade(20_000, t=4), "STALE_STREAM"), (trade(2, t=4), "TIME_REVERSED"),
    (trade(9_000_000, t=4), "TIME_JUMPED"), (line(4, "btcusdt@trade", e="bookTicker", u=4, b="1", B="1", a="2", A="1"),
                                             "WRONG_EVENT"),
    (ticker(4, b="61000.1"), "LOCKED_BOOK"), (ticker(4, b="61000.2"), "CROSSED_BOOK"), (update(4), "SEQUENCE_GAP"),
    (update(4, bid="61000.5", pu=15), "CROSSED_BOOK"), (update(4, bid="61000.1", pu=15), "LOCKED_BOOK"),
    (update(4, bid="61000.05", pu=15), "INVALID_PRICE"), (b"no line", "MALFORMED_LINE"),
    (line(4, "btcusdt@trade", e="unheard"), "UNKNOWN_EVENT"),
])
def test_what_is_wrong_is_named(tmp_path: Path, wrong: bytes, reason: str) -> None:
    report = checked(tmp_path, snapshot(1), update(1), trade(2), trade(3), wrong)
    assert set(named(report)[reason]) == {5}


def test_what_is_no_print_of_the_book_needs_no_price(tmp_path: Path) -> None:
    report = checked(tmp_path, trade(1), trade(2, p="0", q="0", X="NA"), trade(3, p="9", X="ADL"), trade(4))
    assert named(report) == {"EMPTY_TRADE": [2]}
    assert report.clean


def test_a_stream_that_ends_before_its_tape_is_told(tmp_path: Path) -> None:
    report = checked(tmp_path, ticker(1), *(trade(number) for number in range(2, 1_000, 20)))
    assert "ended before it" in report.found["STALE_STREAM"].first


@pytest.mark.needs("data")
@pytest.mark.parametrize("tape", [
    "cm_btcusd_perp_20240808", "cm_btcusd_perp_20240809", "usdm_btcusdt_20240808", "usdm_ethusdt_20240808"])
def test_recorded_tapes_have_one_fault_a_clock_that_was_behind(
    data_folder: Path, tmp_path: Path, tape: str,
) -> None:
    beginning = tmp_path / "beginning.txt"
    with gzip.open(data_folder / "ticks" / f"{tape}.gz") as file:
        beginning.write_bytes(b"".join(islice(file, 10_000)))
    report = check_recording(beginning)
    assert named(report) == {"EVENT_FROM_FUTURE": [1]}
    # The recorder's clock ran about 1.27 s behind the venue's.
    assert "was 1,2" in report.found["EVENT_FROM_FUTURE"].first
    assert report.lines == 10_000


@pytest.mark.needs("data")
def test_a_captured_session_has_only_what_its_recorder_was_late_with(data_folder: Path, tmp_path: Path) -> None:
    captured = data_folder / "captures" / "cryptofeed" / "BINANCE_FUTURES.jsonl.zst"
    with captured.open("rb") as file:
        text = zstandard.ZstdDecompressor().stream_reader(file).read()
    records = [record for record in map(json.loads, text.splitlines()) if record["t"] == "recv"]
    records.sort(key=lambda record: record["ts"])
    report = checked(tmp_path, *(f"{int(record['ts'] * 1e9)} {record['data']}".encode() for record in records))
    # Three frames of one symbol waited for the recorder's first second; two thin markets said nothing for 7 s.
    assert {reason: found.count for reason, found in report.found.items()} == {"LATE_RECEIPT": 3, "STALE_STREAM": 2}

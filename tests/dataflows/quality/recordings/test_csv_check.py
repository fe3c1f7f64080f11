"""What is wrong with a CSV recording is named with its line; a right one is clean."""

from pathlib import Path

import pytest

from dataflows.quality.recordings.check import check_recording
from dataflows.quality.recordings.findings import Report
from sluice.errors import InputError

TRADES = ("TimestampOfReceive,Stream,EventType,EventTime,TransactionTime,Symbol,TradeId,Price,Quantity,"
          "IsBuyerMarketMaker")
UPDATES = ("TimestampOfReceive,Stream,EventType,EventTime,Symbol,FirstUpdateId,FinalUpdateId,FinalUpdateIdInLastStream,"
           "IsAsk,Price,Quantity")
SNAPSHOTS = "TimestampOfReceive,TimestampOfRequest,LastUpdateId,IsAsk,Price,Quantity"
START = 1_741_046_400_000  # 2025-03-04


def trade(number: int, **other: object) -> str:
    time = other.pop("time", START + 10 * number)
    row = {
        "received": f"{time}", "stream": "abcusdt@trade", "event": "trade", "event_time": time, "transaction": time,
        "symbol": "ABCUSDT", "id": 100 + number, "price": 10.0, "quantity": 2.0, "maker": 1, **other}
    return ",".join(map(str, row.values()))


def update(number: int, **other: object) -> str:
    time = START + 100 * number
    row = {
        "received": time, "stream": "abcusdt@depth@100ms", "event": "depthUpdate", "event_time": time,
        "symbol": "ABCUSDT", "first": 10 * number + 1, "last": 10 * number + 5, "previous": 10 * number - 5,
        "side": 0, "price": 10.0, "quantity": 2.0, **other}
    return ",".join(map(str, row.values()))


def checked(folder: Path, *lines: str, name: str = "some_04-03-2025.csv") -> Report:
    path = folder / name
    path.write_text("\n".join(lines) + "\n")
    return check_recording(path)


def named(report: Report) -> dict[str, list[int]]:
    return {reason: found.lines for reason, found in report.found.items()}


def test_right_rows_are_clean_and_comments_have_line_numbers(tmp_path: Path) -> None:
    report = checked(tmp_path, "# a comment", TRADES, *map(trade, range(5)), "", "# the end", trade(9, price=-1))
    assert named(report) == {"MISSING_IDS": [10], "INVALID_PRICE": [10]}
    assert (report.form, report.lines) == ("CSV of trades", 10)
    assert checked(tmp_path, UPDATES, update(1), update(1, side=1, price=10.5), update(2)).clean


@pytest.mark.parametrize(("wrong", "reason"), [
    ({"symbol": "XYZUSDT"}, "WRONG_SYMBOL"), ({"stream": "xyzusdt@trade"}, "WRONG_SYMBOL"),
    ({"event": "aggTrade"}, "WRONG_EVENT"), ({"maker": 2}, "MALFORMED_EVENT"), ({"maker": ""}, "MALFORMED_EVENT"),
    ({"id": 101}, "DUPLICATE_ID"), ({"price": "nan"}, "INVALID_PRICE"), ({"price": 40}, "FAR_PRICE"),
    ({"price": ""}, "MALFORMED_EVENT"), ({"received": ""}, "MALFORMED_EVENT"),
    ({"price": "ten"}, "MALFORMED_LINE"), ({"id": 9**40}, "MALFORMED_LINE"),
    ({"quantity": -1}, "INVALID_QUANTITY"), ({"received": START + 2_000}, "LATE_RECEIPT"),
    ({"received": START}, "TIME_REVERSED"), ({"event_time": 0}, "INVALID_TIME"),
    ({"event_time": START + 5}, "EVENT_TIME_REVERSED"), ({"transaction": START + 5}, "TRANSACTION_TIME_REVERSED"),
    ({"event_time": START + 33}, "EVENT_FROM_FUTURE"), ({"maker": "1,1"}, "MALFORMED_LINE"),
])
def test_a_wrong_trade_is_named(tmp_path: Path, wrong: dict[str, object], reason: str) -> None:
    report = checked(tmp_path, TRADES, trade(1), trade(2), trade(3, **wrong))
    assert named(report)[reason] == [4]
    assert not report.clean


def test_a_trade_that_is_no_print_of_the_book_may_have_any_price(tmp_path: Path) -> None:
    rows = [f"{trade(number, price=price)},{how}" for number, price, how in (
        (1, 10.0, "MARKET"), (2, 99.0, "INSURANCE_FUND"), (3, 10.0, "MARKET"))]
    assert checked(tmp_path, f"{TRADES},XUnknownParameter", *rows).clean


@pytest.mark.parametrize(("wrong", "reasons"), [
    ({"side": 2}, ["MALFORMED_EVENT"]), ({"price": 0}, ["INVALID_PRICE"]), ({"quantity": -3}, ["INVALID_QUANTITY"]),
    ({"price": 101}, ["FAR_LEVEL"]), ({"price": 0.01}, ["FAR_LEVEL"]), ({"previous": 14}, ["SEQUENCE_GAP"]),
    ({"last": 15, "first": 12}, ["DUPLICATE_ID"]), ({"first": 31}, ["MALFORMED_EVENT"]),
    ({"previous": "", "first": 19}, ["MISSING_IDS"]), ({"last": ""}, ["MALFORMED_EVENT"]),
])
def test_a_wrong_update_is_named(tmp_path: Path, wrong: dict[str, object], reasons: list[str]) -> None:
    report = checked(tmp_path, UPDATES, update(1), update(2, **wrong))
    assert named(report) == {reason: [3] for reason in reasons}


def test_snapshots_that_cross_or_lock_are_named_and_a_request_comes_before_its_answer(tmp_path: Path) -> None:
    rows = [f"{START},{START - 5},7,0,10.0,1", f"{START},{START - 5},7,1,10.5,1"]
    assert checked(tmp_path, SNAPSHOTS, *rows).clean
    crossed = [f"{START + 9},{START},8,0,10.6,1", f"{START + 9},{START + 99},8,1,10.5,1"]
    locked = [f"{START + 19},{START},9,0,10.6,1", f"{START + 19},{START},9,1,10.6,1"]
    report = checked(tmp_path, SNAPSHOTS, *rows, *crossed, *locked)
    assert named(report) == {"INCONSISTENT_UPDATE": [5], "CROSSED_BOOK": [5], "LOCKED_BOOK": [7]}


def test_a_row_of_another_day_than_the_name_says_is_named(tmp_path: Path) -> None:
    late = trade(2, time=START + 86_400_000)
    assert named(checked(tmp_path, TRADES, trade(1), late))["OUTSIDE_DAY"] == [3]
    assert "OUTSIDE_DAY" not in named(checked(tmp_path, TRADES, trade(1), late, name="some_99-99-2025.csv"))


def test_a_silence_is_a_remark_and_a_day_without_anything_a_jump(tmp_path: Path) -> None:
    silent = checked(tmp_path, TRADES, trade(1), trade(2, time=START + 200_000))
    assert named(silent) == {"STALE_STREAM": [3]}
    assert silent.clean
    jumped = checked(tmp_path, TRADES, trade(1), trade(2, time=START + 90_000_000), name="some.csv")
    assert named(jumped)["TIME_JUMPED"] == [3]


def test_columns_that_a_check_cannot_do_without_are_asked_for(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="must have the columns TimestampOfReceive, Price, Quantity"):
        checked(tmp_path, "TimestampOfReceive,Price", "1,2")

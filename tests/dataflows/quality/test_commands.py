"""`sluice data check` says what it found, as text and as JSON, and its exit code says whether it found anything."""

import gzip
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dataflows.quality.commands import check
from sluice.errors import InputError, NotFoundError

HEADER = "TimestampOfReceive,TransactionTime,TradeId,Price,Quantity,IsBuyerMarketMaker"
CLEAN = [HEADER, "1741046400001,1741046400000,1,10.0,1,0", "1741046400002,1741046400001,2,10.1,1,1"]


def written(path: Path, *lines: str) -> Path:
    text = "".join(f"{line}\n" for line in lines).encode()
    path.write_bytes(gzip.compress(text, mtime=0) if path.suffix == ".gz" else text)
    return path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(check, [str(argument) for argument in arguments], catch_exceptions=False)


def test_a_clean_file_exits_with_zero(tmp_path: Path) -> None:
    result = run(written(tmp_path / "a.csv.gz", *CLEAN))
    assert result.exit_code == 0
    assert result.stdout.endswith("a.csv.gz: clean (CSV of trades, 3 lines)\n")
    assert "Checking: 100%" in result.stderr


def test_findings_exit_with_one_and_name_line_and_value(tmp_path: Path) -> None:
    written(tmp_path / "a.csv", *CLEAN)
    written(tmp_path / "b.csv", *CLEAN, "1741046400003,1741046400001,3,-4,1,0", "1741046400003,1741046400001,4,-4,1,0")
    result = run(tmp_path)
    assert result.exit_code == 1
    assert "a.csv: clean" in result.stdout
    assert "b.csv: not clean" in result.stdout
    assert "INVALID_PRICE" in result.stdout
    assert "2  line 4: price must be positive and finite, was -4.0" in result.stdout


def test_json_has_every_cause_with_count_and_lines(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", *CLEAN, "1741046400003,1741046400001,9,10,1,0")
    result = run(path, "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout) == {"clean": False, "files": [{
        "file": str(path), "form": "CSV of trades", "lines": 4, "clean": False, "found": [{
            "reason": "MISSING_IDS", "remark": False, "count": 1, "lines": [4],
            "first": "ids must go on one by one, was 9 next"}]}]}


def test_a_remark_is_told_and_leaves_a_file_clean(tmp_path: Path) -> None:
    result = run(written(tmp_path / "a.csv", *CLEAN, "1741046400003,1741046400001,3,0,0,0"))
    assert result.exit_code == 0
    assert "EMPTY_TRADE (remark)" in result.stdout


@pytest.mark.parametrize("cut", [5, 40, -4])
def test_a_damaged_file_is_told_of_and_what_came_before_is_checked(tmp_path: Path, cut: int) -> None:
    path = written(tmp_path / "a.csv.gz", *CLEAN)
    path.write_bytes(path.read_bytes()[:cut])
    result = run(path)
    assert result.exit_code == 1
    assert "TRUNCATED_FILE" in result.stdout


@pytest.mark.parametrize("content", [b"", b"\x00\xff\xfe", b"# only a comment\n", b"TimestampOfReceive,\n"])
def test_odd_files_end_without_a_traceback(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    try:
        assert run(tmp_path / "a.csv").exit_code in (0, 1)
    except InputError as error:
        assert "must have the columns" in error.message


frames = st.sampled_from([
    b'{"stream":5,"data":{"e":"trade","s":"BTCUSDT","p":"1","q":"1","m":true}}', b'{"e":"trade"}', b"[]", b"{", b"null",
    b'{"stream":"btcusdt@trade","data":{"e":"trade","s":"BTCUSDT","t":-1,"E":0,"T":9,"p":"1","q":"1","m":false}}',
    b'{"lastUpdateId":1,"bids":[],"asks":[]}', b'{"openInterest":"5","symbol":"BTCUSDT","time":7}',
    b'{"stream":"x@depth","data":{"e":"depthUpdate","s":"BTCUSDT","U":1,"u":2,"pu":0,"b":[["1","1"]],"a":[["1","1"]]}}',
])
times = st.sampled_from([b"1741046400000000000", b"1741046400000000001", b"0", b"9" * 19, b"9" * 25, b"", b"-1"])
cells = st.sampled_from(
    ["", "0", "-1", "1", "2", "1741046400000", "9" * 18, "9" * 30, "nan", "inf", "1e999", "x", "\x00"])


@given(st.lists(st.tuples(times, frames).map(b" ".join) | st.binary(max_size=30), max_size=12))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_tape_is_checked_to_its_end(tmp_path: Path, lines: list[bytes]) -> None:
    (tmp_path / "a.tape").write_bytes(b"\n".join(lines))
    try:
        assert run(tmp_path / "a.tape", "--json").exit_code in (0, 1)
    except InputError as error:
        assert "must have the columns" in error.message


@given(st.lists(st.lists(cells, min_size=14, max_size=14), max_size=8))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_rows_are_checked_to_their_end(tmp_path: Path, rows: list[list[str]]) -> None:
    names = ("TimestampOfReceiveUS,TimestampOfReceive,TimestampOfRequest,EventTime,TransactionTime,FirstUpdateId,"
             "FinalUpdateId,FinalUpdateIdInLastStream,LastUpdateId,TradeId,IsAsk,IsLast,Price,Quantity")
    path = written(tmp_path / "a.csv", names, *map(",".join, rows))
    assert run(path, "--json").exit_code in (0, 1)


def test_what_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="a recording must exist"):
        run(tmp_path / "nothing.csv")
    with pytest.raises(InputError, match="a folder of recordings must hold files"):
        run(tmp_path)

"""`sluice data check` says what it found, as text and as JSON, and its exit code says whether it found anything."""

import gzip
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

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


def test_what_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="a recording must exist"):
        run(tmp_path / "nothing.csv")
    with pytest.raises(InputError, match="a folder of recordings must hold files"):
        run(tmp_path)

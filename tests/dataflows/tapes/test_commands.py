"""The tape commands say what they did, as text and as JSON."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from backtest.synthetic.command import make
from dataflows.tapes.commands import compile_tape, info
from tests.dataflows.tapes.helpers import line, write


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    arguments = ["-o", str(folder), "--minutes", "0.2", "--symbols", "btcusdt, ETHUSDT", "--start", "2026-03-01"]
    result = CliRunner().invoke(make, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    assert "Wrote" in result.output
    assert "100%" in result.output
    return folder


def test_make_names_files_by_symbol_and_day(tape: Path) -> None:
    assert sorted(file.name for file in tape.iterdir()) == ["btcusdt_20260301.gz", "ethusdt_20260301.gz"]


def test_info_counts_lines_streams_and_symbols(tape: Path) -> None:
    result = CliRunner().invoke(info, [str(tape), "--json"], catch_exceptions=False)
    found = json.loads(result.stdout)
    assert found["symbols"] == ["BTCUSDT", "ETHUSDT"]
    assert found["bad_lines"] == {}
    assert found["lines"] == sum(found["streams"].values())
    assert found["streams"]["(snapshot)"] == 2
    assert found["first_time"].startswith("2026-03-01T00:00:00")
    assert 11 < found["seconds"] < 13


def test_info_tells_bad_lines_by_reason(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt", [line(5), line(1), b"bad", line(6, b'{"stream":"a@trade","data":{}}')])
    found = json.loads(CliRunner().invoke(info, [str(path), "--json"], catch_exceptions=False).stdout)
    assert found["bad_lines"] == {"TIME_REVERSED": 1, "MALFORMED_LINE": 1}
    assert found["streams"] == {"(no envelope)": 1, "a@trade": 1}
    text = CliRunner().invoke(info, [str(path)], catch_exceptions=False).stdout
    assert "TIME_REVERSED 1, MALFORMED_LINE 1" in text


def test_info_of_an_empty_tape_has_no_times(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt", [])
    found = json.loads(CliRunner().invoke(info, [str(path), "--json"], catch_exceptions=False).stdout)
    assert (found["lines"], found["first_time"], found["lines_per_second"]) == (0, "", 0.0)


def test_compile_writes_one_file_an_instrument(tape: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(compile_tape, [str(tape), "-o", str(tmp_path), "--json"], catch_exceptions=False)
    found = json.loads(result.stdout)
    assert set(found["files"]) == {"BTCUSDT", "ETHUSDT"}
    assert found["shift_ms"] == 0
    assert all(Path(file).exists() for file in found["files"].values())
    assert all(rows > 2_000 for rows in found["rows"].values())

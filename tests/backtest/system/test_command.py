"""The command `sluice backtest`: what it prints and writes, how it fails, and how it is interrupted."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sluice.cli.application import root, run

pytestmark = pytest.mark.usefixtures("data_dir")


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SLUICE_RUN__DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "data"


def backtest(*arguments: str) -> int:
    return run(root(), "sluice", ["backtest", *arguments])


def test_json_is_the_summary_and_the_report_lies_where_it_was_asked_for(
    tape: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
) -> None:
    page = tmp_path / "reports" / "run.html"
    assert backtest("--tape", str(tape), "--json", "--report", str(page)) == 0
    told = capsys.readouterr()
    summary = json.loads(told.out)
    assert summary["fills"] > 0
    assert summary["report"] == str(page)
    assert summary["digest"] in page.read_text()
    assert json.loads(page.with_suffix(".json").read_text()) == summary
    assert told.err == ""


def test_a_person_gets_tables_and_how_far_it_is(
    tape: Path, data_dir: Path, capsys: pytest.CaptureFixture[str],
) -> None:
    assert backtest("--tape", str(tape)) == 0
    told = capsys.readouterr()
    assert "From the tape to the fills" in told.out
    assert "real time" in told.out
    assert "playing the tape: 100%" in told.err
    assert (data_dir / "backtest" / "report.html").exists()


def test_without_a_tape_one_is_made_once(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert backtest("--minutes", "0.5", "--seed", "3") == 0
    assert "making a synthetic tape" in capsys.readouterr().err
    assert backtest("--minutes", "0.5", "--seed", "3") == 0
    assert "making a synthetic tape" not in capsys.readouterr().err
    (tapes,) = (data_dir / "demo" / "tapes").iterdir()
    assert "seed3-0.5min" in tapes.name


@pytest.mark.parametrize(("name", "content", "code"), [
    ("missing.gz", None, 2), ("empty.gz", b"", 2), ("words.gz", b"these are words\n" * 9, 2)])
def test_a_tape_that_is_none_is_an_error_in_one_sentence(
    name: str, content: bytes | None, code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    assert backtest("--tape", str(path)) == code
    told = capsys.readouterr().err
    assert "must" in told
    assert "Traceback" not in told


def test_a_missing_model_is_an_error_in_one_sentence(
    tape: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("SLUICE_INFERENCE__BUNDLES", str(tmp_path))
    assert backtest("--tape", str(tape)) == 2
    assert "model bundle" in capsys.readouterr().err


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupt_ends_it_in_order(tape: Path, number: signal.Signals, code: int) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "sluice", "backtest", "--tape", str(tape)], env=dict(os.environ), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        told = process.stderr.readline()
        process.send_signal(number)
        rest = process.stderr.read()
    assert told.startswith("playing the tape")
    assert process.returncode == code
    assert "Traceback" not in rest
    assert "pending" not in rest

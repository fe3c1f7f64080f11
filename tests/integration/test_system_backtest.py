"""A backtest in one process and a demo over the services: the same decisions, orders and fills, to the last digit."""

import json
from pathlib import Path

import pytest

from backtest.synthetic import make_tape
from sluice.cli.application import root, run
from tests.integration.demos import run_demo


def test_a_backtest_and_a_demo_have_one_digest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:
    tape = tmp_path / "tape"
    make_tape(tape, seed=11, minutes=2.5)
    _, demo = run_demo(tmp_path / "demo", "--tape", str(tape), "--in-process")
    monkeypatch.setenv("SLUICE_RUN__DATA_DIR", str(tmp_path / "backtest"))
    assert run(root(), "sluice", ["backtest", "--json", "--tape", str(tape)]) == 0
    backtest = json.loads(capsys.readouterr().out)
    assert backtest["fills"] > 0
    assert backtest["vetoes"]
    differing = {key for key in demo if demo[key] != backtest[key]}
    assert differing <= {"latency_ms", "wall_s", "report"}

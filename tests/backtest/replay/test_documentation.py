"""The examples of docs/backtest.md run as they are written."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.backtest.replay.feeds import make_feed, save

ROOT = Path(__file__).parents[3]
EXAMPLES = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "backtest.md").read_text(), re.DOTALL)


@pytest.mark.parametrize(("number", "shown"), [(0, "BTCUSDT: "), (1, "BTCUSDT: ")])
def test_an_example_runs_and_trades(tmp_path: Path, number: int, shown: str) -> None:
    save(make_feed(30, 4_000), tmp_path / "btcusdt.npz")
    (tmp_path / "example.py").write_text(EXAMPLES[number])
    command = [sys.executable, "example.py"]
    done = subprocess.run(
        command, cwd=tmp_path, env={"PYTHONPATH": str(ROOT), "HOME": str(Path.home())}, capture_output=True, text=True,
        check=False)
    assert done.returncode == 0, done.stderr
    assert shown in done.stdout
    orders, fills = re.findall(r"([\d,]+) orders, ([\d,]+) fills", done.stdout)[0]
    assert int(orders.replace(",", "")) > 5
    assert int(fills.replace(",", "")) > 0


def test_there_are_as_many_examples_as_are_tested() -> None:
    assert len(EXAMPLES) == 2

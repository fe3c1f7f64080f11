"""Synthetic tapes that the tests share."""

from pathlib import Path

import pytest

from backtest.synthetic import make_tape
from tests.backtest.synthetic.observed import Observed, observe

SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT")


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two minutes of three symbols."""
    made = tmp_path_factory.mktemp("synthetic")
    make_tape(made, seed=11, minutes=2.0, symbols=SYMBOLS)
    return made


@pytest.fixture(scope="session")
def observed(folder: Path) -> dict[str, Observed]:
    """What the three tapes say, by symbol."""
    return {symbol: observe(folder / f"{symbol.lower()}_20260105.gz") for symbol in SYMBOLS}

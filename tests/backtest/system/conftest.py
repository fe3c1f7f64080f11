"""A short synthetic tape, on which the strategy trades, and the settings to play it with."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from backtest.demo.world import demo_settings
from backtest.synthetic import make_tape
from sluice.config import Settings
from tests.backtest.system.running import Played, played


@pytest.fixture(scope="session")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two minutes of one symbol: after the features are warm there is something to trade on."""
    folder = tmp_path_factory.mktemp("system") / "tape"
    make_tape(folder, seed=7, minutes=2, symbols=("SOLUSDT",))
    return folder


@pytest.fixture(scope="session")
def settings(tape: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The settings of a run on that tape."""
    changed: Mapping[str, Any] = {"run": {"data_dir": str(tmp_path_factory.mktemp("data"))}}
    return demo_settings(Settings.model_validate(changed), (tape,))


@pytest.fixture(scope="session")
def undisturbed(settings: Settings) -> Played:
    """A run with the settings as they are."""
    return played(settings)

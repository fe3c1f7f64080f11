"""A short synthetic tape, made once."""

from pathlib import Path

import pytest

from tests.backtest.exchange.serving.world import tape_folder


@pytest.fixture(scope="session")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tape_folder(tmp_path_factory.mktemp("exchange"))

"""The full set from end to end: a bundle is trained on it, and a run with rows of it trades on that bundle alone."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from backtest.synthetic import make_tape


def sluice(folder: Path, *arguments: object, **settings: str) -> "subprocess.CompletedProcess[str]":
    environ = {**os.environ, "SLUICE_RUN__DATA_DIR": str(folder / "data"), **settings}
    return subprocess.run([sys.executable, "-m", "sluice", *map(str, arguments), "--json"], cwd=folder, env=environ,
                          capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a tape and a bundle of the full set in `bundles`."""
    folder = tmp_path_factory.mktemp("full")
    make_tape(folder / "tape", seed=3, minutes=10.0, symbols=("BTCUSDT", "ETHUSDT"))
    done = sluice(folder, "train", "--tape", folder / "tape", "--out", folder / "bundles", "--quick", "--set", "full")
    assert done.returncode == 0, done.stderr
    return folder


def test_rows_of_the_full_set_are_predicted_on_by_its_bundle(folder: Path) -> None:
    bundles = str(folder / "bundles")
    done = sluice(folder, "backtest", "--tape", folder / "tape", SLUICE_FEATURES__SET="full",
                  SLUICE_INFERENCE__BUNDLES=bundles)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["predictions"] > 100


@pytest.mark.parametrize(("kind", "bundles"), [("light", "bundles"), ("full", "")])
def test_rows_of_another_set_than_the_bundle_are_refused_in_a_sentence(kind: str, bundles: str, folder: Path) -> None:
    done = sluice(folder, "backtest", "--tape", folder / "tape", SLUICE_FEATURES__SET=kind,
                  SLUICE_INFERENCE__BUNDLES=str(folder / bundles) if bundles else "")
    assert done.returncode == 1
    assert "schema_hash must be" in done.stderr
    assert "Traceback" not in done.stderr

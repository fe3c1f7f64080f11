"""The flow of features under Bytewax: the rows of `sluice features`, each once however often the flow was killed."""

import os
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from backtest.synthetic import make_tape
from dataflows.extraction.rows import TapeRows
from dataflows.extraction.tables import read_features, table_of
from dataflows.indicators.schema import MARKET_SCHEMA
from dataflows.market_actors import schema_of_settings
from sluice.config.features import FeatureSettings
from sluice.instruments import InstrumentCatalog

SECOND_NS = 1_000_000_000
PATIENCE_S = 120.0


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tape")
    make_tape(folder, seed=11, minutes=1.2)
    return folder


def started(tape: Path, data: Path, **settings: str) -> "subprocess.Popen[str]":
    environ = {
        **os.environ, "SLUICE_RUN__DATA_DIR": str(data), "SLUICE_SOURCE__TAPES": str(tape),
        "SLUICE_SOURCE__BATCH_LINES": "50", "SLUICE_FEATURES__PART_ROWS": "10", **settings}
    program = Path(sys.executable).parent / "bytewax"
    command = [str(program), "run", "dataflows.features:flow", "-r", str(data / "recovery"), "-s", "0.1"]
    return subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def finished(tape: Path, data: Path, **settings: str) -> pl.DataFrame:
    run = started(tape, data, **settings)
    said, _ = run.communicate(timeout=PATIENCE_S)
    assert run.returncode == 0, said
    return read_features(data / "features")[1]


def killed_after_parts(tape: Path, data: Path, more: int) -> bool:
    """Kill a run -9 as soon as it has made so many parts more; tell whether it was still running."""
    run = started(tape, data)
    before, until = count_of_parts(data), time.monotonic() + PATIENCE_S
    while run.poll() is None and count_of_parts(data) < before + more and time.monotonic() < until:
        time.sleep(0.005)
    alive = run.poll() is None
    run.kill()
    run.communicate()
    return alive


def count_of_parts(data: Path) -> int:
    return len(list((data / "features").rglob("*_*.parquet")))


def by_row(table: pl.DataFrame) -> pl.DataFrame:
    return table.sort("instrument", "event_time")


@pytest.fixture(scope="module")
def whole(tape: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the data folder of a run on the light set that nothing interrupted."""
    data = tmp_path_factory.mktemp("whole")
    finished(tape, data)
    return data


def of_the_command(tape: Path, kind: str) -> pl.DataFrame:
    schema = schema_of_settings(FeatureSettings.model_validate({"set": kind}))
    extracted = TapeRows(InstrumentCatalog.shipped(), SECOND_NS, schema, reference="BINANCE_USDM:BTCUSDT")
    return table_of([row for rows in extracted.ticks([tape]) for row in rows], schema)


def test_light_rows_are_those_of_the_command(tape: Path, whole: Path) -> None:
    schema, table = read_features(whole / "features")
    assert schema is MARKET_SCHEMA
    assert_frame_equal(by_row(table), by_row(of_the_command(tape, "light")), check_exact=True)


def test_full_rows_are_those_of_the_command(tape: Path, tmp_path: Path) -> None:
    table = finished(tape, tmp_path, SLUICE_FEATURES__SET="full")
    assert_frame_equal(by_row(table), by_row(of_the_command(tape, "full")), check_exact=True)


def test_a_flow_that_was_killed_again_and_again_leaves_every_row_once(tape: Path, whole: Path, tmp_path: Path) -> None:
    interrupted = sum(killed_after_parts(tape, tmp_path, more) for more in (2, 4))
    assert interrupted > 0
    assert_frame_equal(finished(tape, tmp_path), read_features(whole / "features")[1], check_exact=True)


def test_a_folder_of_another_set_is_refused_in_a_sentence(tape: Path, whole: Path) -> None:
    run = started(tape, whole, SLUICE_FEATURES__SET="full")
    said, _ = run.communicate(timeout=PATIENCE_S)
    assert run.returncode == 1
    assert "the features of the run sluice" in said
    assert "Fix: " in said
    assert "Traceback" not in said

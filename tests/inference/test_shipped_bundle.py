"""The bundle that ships: it must fit the features as they are now, and do something on a tape that it has not seen."""

from pathlib import Path

import numpy as np
import pytest

from backtest.synthetic import make_tape
from dataflows.actors.market_rows import FeatureRow
from dataflows.indicators.schema import MARKET_SCHEMA
from inference.bundle import CARD_FILE, Bundle
from inference.registry import POINTER_FILE, Registry, shipped_registry
from inference.runtime import LoadedBundle, RowPrediction
from inference.training.rows import feature_rows
from sluice.instruments import InstrumentCatalog

SECOND_NS = 1_000_000_000


@pytest.fixture(scope="module")
def shipped() -> Bundle:
    registry = Registry(shipped_registry())
    return registry.read(registry.active_version())


def predictions_on(tape: Path, bundle: Bundle) -> list[RowPrediction]:
    rows: list[FeatureRow] = list(feature_rows([tape], InstrumentCatalog.shipped(), SECOND_NS))
    values = np.array([row.values for row in rows])
    return LoadedBundle(bundle).predict(values, [all(row.valid) for row in rows], [0.0] * len(rows))


def test_shipped_bundle_is_of_the_schema_that_rows_have_now(shipped: Bundle) -> None:
    schema = shipped.manifest.schema
    fix = "train the shipped bundle again: see inference/bundles/README.md"
    assert (schema.name, schema.version, schema.features) == (
        MARKET_SCHEMA.name, MARKET_SCHEMA.version, MARKET_SCHEMA.features), fix
    assert schema.hash == MARKET_SCHEMA.hash, fix


def test_there_is_one_shipped_bundle_small_and_without_a_pointer(shipped: Bundle) -> None:
    files = [path for path in shipped_registry().rglob("*") if path.is_file()]
    assert len(Registry(shipped_registry()).manifests()) == 1
    assert sum(path.stat().st_size for path in files) < 1_000_000
    assert POINTER_FILE not in {path.name for path in files}


def test_card_of_the_shipped_bundle_claims_no_edge(shipped: Bundle) -> None:
    card = shipped.files[CARD_FILE].decode()
    assert "synthetic" in shipped.manifest.trained_on
    assert "no edge on real markets is claimed" in card


def test_shipped_bundle_acts_now_and_then_on_a_tape_it_has_not_seen(shipped: Bundle, tmp_path: Path) -> None:
    make_tape(tmp_path, seed=7, minutes=10.0)
    predictions = predictions_on(tmp_path, shipped)
    valid = [prediction for prediction in predictions if prediction.valid]
    acting = [prediction for prediction in valid if prediction.decision.action]
    assert len(valid) > 1_500
    assert 0.02 < len(acting) / len(valid) < 0.5
    assert {prediction.decision.action > 0 for prediction in acting} == {True, False}


@pytest.mark.needs("data")
def test_shipped_bundle_acts_now_and_then_on_a_recorded_tape(shipped: Bundle, data_folder: Path) -> None:
    predictions = predictions_on(data_folder / "ticks" / "usdm_btcusdt_20240808.gz", shipped)
    valid = [prediction for prediction in predictions if prediction.valid]
    acting = [prediction for prediction in valid if prediction.decision.action]
    assert len(valid) > 200
    assert 0.01 < len(acting) / len(valid) < 0.6

"""The ONNX graphs against the native models, on rows where converters go wrong: at the thresholds and at NaN."""

from collections.abc import Mapping
from typing import Any

import lightgbm
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dataflows.indicators.schema import MARKET_SCHEMA
from inference.bundle import REGIME_FILE
from inference.runtime import Matrix, posterior
from inference.training.alpha import QUICK, AlphaModel, fit_alphas
from inference.training.building import HORIZONS_NS
from inference.training.evaluation import run_graph
from inference.training.graphs import TreeParameters, mixture_graph, trees_graph
from inference.training.regime import REGIME_FEATURES, RegimeModel, fit_regimes
from sluice.errors import InvariantError
from tests.inference.making import FEATURES, made_bundle, random_dataset, random_rows

ROWS = 10_000
DATASET = random_dataset()
SCALE = MARKET_SCHEMA.index("realised_volatility_60s_bps")


@pytest.fixture(scope="module")
def alpha() -> AlphaModel:
    return fit_alphas(DATASET, HORIZONS_NS, QUICK, 1)


@pytest.fixture(scope="module")
def alpha_graph(alpha: AlphaModel) -> bytes:
    return trees_graph(alpha.parameters, FEATURES)


@pytest.fixture(scope="module")
def regime() -> RegimeModel:
    return fit_regimes(DATASET.features, MARKET_SCHEMA.features, 1)


def splits_of(node: Mapping[str, Any]) -> list[tuple[int, float]]:
    if "split_feature" not in node:
        return []
    return [(node["split_feature"], node["threshold"]), *splits_of(node["left_child"]), *splits_of(node["right_child"])]


def all_splits(parameters: TreeParameters) -> list[tuple[int, float]]:
    return [(parameters.columns[feature], threshold) for dump in parameters.dumps for tree in dump["tree_info"]
            for feature, threshold in splits_of(tree["tree_structure"])]


def test_forecasts_equal_lightgbms_on_many_rows(alpha: AlphaModel, alpha_graph: bytes) -> None:
    rows = random_rows(ROWS, 7)
    np.testing.assert_allclose(run_graph(alpha_graph, rows), alpha.forecasts(rows), rtol=0, atol=1e-12)


def test_forecasts_equal_lightgbms_on_and_beside_every_threshold(alpha: AlphaModel, alpha_graph: bytes) -> None:
    splits = all_splits(alpha.parameters)
    assert len(splits) > 300
    rows = random_rows(3 * len(splits), 8)
    for index, (column, threshold) in enumerate(splits):
        sides = (np.nextafter(threshold, -np.inf), threshold, np.nextafter(threshold, np.inf))
        rows[3 * index:3 * index + 3, column] = sides
    np.testing.assert_allclose(run_graph(alpha_graph, rows), alpha.forecasts(rows), rtol=0, atol=1e-12)


@pytest.mark.parametrize("missing_in_training", [False, True])
def test_forecasts_equal_lightgbms_on_missing_values(missing_in_training: bool) -> None:
    generator = np.random.default_rng(3)
    rows, holes = random_rows(ROWS, 9), generator.random((ROWS, FEATURES)) < 0.2
    holes[:, SCALE] = False
    missing = np.where(holes, np.nan, rows)
    inputs = missing if missing_in_training else rows
    target = np.nan_to_num(inputs[:, 0] * inputs[:, 1] + inputs[:, 2])
    booster = lightgbm.train({"verbosity": -1, "num_threads": 1, "deterministic": True, "force_row_wise": True},
                             lightgbm.Dataset(inputs, target), 30)
    parameters = TreeParameters((booster.dump_model(),), tuple(range(FEATURES)), SCALE, 0.5, (2.0,))
    model = AlphaModel((booster,), parameters)
    np.testing.assert_allclose(run_graph(trees_graph(parameters, FEATURES), missing), model.forecasts(missing),
                               rtol=0, atol=1e-12)


def test_standing_market_is_taken_to_move_by_the_floor(alpha: AlphaModel, alpha_graph: bytes) -> None:
    rows = random_rows(200, 10)
    rows[:, SCALE] = 0.0
    at_floor = rows.copy()
    at_floor[:, SCALE] = alpha.parameters.scale_floor
    forecasts = run_graph(alpha_graph, rows)
    np.testing.assert_allclose(forecasts, alpha.forecasts(rows), rtol=0, atol=1e-12)
    assert np.abs(forecasts).max() > 0.0


def test_model_that_learnt_nothing_exports_as_its_constant() -> None:
    booster = lightgbm.train({"verbosity": -1, "num_threads": 1, "min_data_in_leaf": 10_000},
                             lightgbm.Dataset(random_rows(500, 1), np.full(500, 0.25)), 5)
    parameters = TreeParameters((booster.dump_model(),), tuple(range(FEATURES)), SCALE, 1.0, (1.0,))
    rows = random_rows(50, 2)
    np.testing.assert_allclose(run_graph(trees_graph(parameters, FEATURES), rows),
                               AlphaModel((booster,), parameters).forecasts(rows), rtol=0, atol=1e-15)


def test_trees_that_cannot_be_exported_exactly_are_refused() -> None:
    rows = random_rows(2_000, 4)
    rows[:, 0] = np.arange(2_000) % 5
    booster = lightgbm.train({"verbosity": -1, "num_threads": 1, "min_data_per_group": 1, "cat_smooth": 0.0},
                             lightgbm.Dataset(rows, rows[:, 0] == 2, categorical_feature=[0]), 3)
    parameters = TreeParameters((booster.dump_model(),), tuple(range(FEATURES)), SCALE, 1.0, (1.0,))
    with pytest.raises(InvariantError, match="split numbers"):
        trees_graph(parameters, FEATURES)


def test_regimes_equal_scikit_learns_on_many_rows(regime: RegimeModel) -> None:
    rows = random_rows(ROWS, 11)
    densities = run_graph(mixture_graph(regime.parameters, FEATURES), rows)
    probabilities = np.array([posterior(row) for row in densities.tolist()])
    np.testing.assert_allclose(probabilities, regime.probabilities(rows), rtol=0, atol=1e-12)


def test_regimes_are_ordered_by_volatility(regime: RegimeModel) -> None:
    row = random_rows(1, 12).repeat(200, axis=0)
    row[:, SCALE] = np.linspace(0.5, 25.0, 200)
    likeliest = regime.probabilities(row).argmax(axis=1)
    assert likeliest[0] == 0
    assert likeliest[-1] == 2
    assert REGIME_FEATURES[0] == "realised_volatility_60s_bps"


@settings(max_examples=50)
@given(arrays(np.float64, (5, FEATURES), elements=st.floats(-1e9, 1e9)))
def test_regime_probabilities_sum_to_one_whatever_the_row(rows: Matrix) -> None:
    for densities in run_graph(made_bundle().files[REGIME_FILE], rows).tolist():
        assert sum(posterior(densities)) == pytest.approx(1.0, abs=1e-12)

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.bundle import ALPHA_FILE, REGIME_FILE, Bundle, seal
from inference.runtime import INVALID, LoadedBundle, posterior
from sluice.errors import InputError
from tests.inference.making import FEATURES, made_bundle, random_rows

LOADED = LoadedBundle(made_bundle())


def test_rows_are_predicted_one_by_one_as_they_are_together() -> None:
    rows = random_rows(1_000, 20)
    positions = np.random.default_rng(1).uniform(-1, 1, 1_000).tolist()
    together = LOADED.predict(rows, [True] * 1_000, positions)
    assert [LOADED.predict(rows[i:i + 1], [True], positions[i:i + 1])[0] for i in range(1_000)] == together
    assert {result.decision.action for result in together} == {-2, -1, 0, 1, 2}


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 299), min_size=1, max_size=120))
def test_prediction_does_not_depend_on_the_other_rows(chosen: list[int]) -> None:
    rows = random_rows(300, 21)
    alone = [LOADED.predict(rows[i:i + 1], [True], [0.0])[0] for i in chosen]
    assert LOADED.predict(rows[chosen], [True] * len(chosen), [0.0] * len(chosen)) == alone


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_row_with_a_value_that_is_not_finite_is_not_valid(value: float) -> None:
    rows = random_rows(3, 22)
    expected = LOADED.predict(rows, [True] * 3, [0.0] * 3)
    rows[1, 4] = value
    results = LOADED.predict(rows, [True] * 3, [0.0] * 3)
    assert results == [expected[0], INVALID, expected[2]]
    assert results[1].decision.action == 0


@pytest.mark.parametrize("value", [1.7e308, -1.7e308])
def test_row_so_far_off_that_a_graph_overflows_is_not_valid(value: float) -> None:
    rows = random_rows(3, 22)
    expected = LOADED.predict(rows, [True] * 3, [0.0] * 3)
    rows[1] = value
    assert LOADED.predict(rows, [True] * 3, [0.0] * 3) == [expected[0], INVALID, expected[2]]


def test_row_that_is_flagged_is_not_valid_and_keeps_its_place() -> None:
    rows = random_rows(3, 23)
    expected = LOADED.predict(rows, [True] * 3, [0.0] * 3)
    assert LOADED.predict(rows, [False, True, True], [0.0] * 3) == [INVALID, *expected[1:]]
    assert LOADED.predict(rows, [False] * 3, [0.0] * 3) == [INVALID] * 3


def test_no_rows_give_no_predictions() -> None:
    assert LOADED.predict(np.empty((0, FEATURES)), [], []) == []


def test_more_threads_give_the_same_predictions() -> None:
    rows = random_rows(200, 24)
    arguments = (rows, [True] * 200, [0.0] * 200)
    assert LoadedBundle(made_bundle(), threads=2).predict(*arguments) == LOADED.predict(*arguments)


def test_posterior_survives_densities_that_an_exponential_would_not() -> None:
    assert posterior([-1e6, -1e6, -2e6]) == pytest.approx((0.5, 0.5, 0.0))
    assert posterior([1e6, 0.0]) == (1.0, 0.0)


def sealed_with(**files: bytes) -> Bundle:
    bundle = made_bundle()
    return seal(bundle.manifest, {**bundle.files, **{name.replace("_onnx", ".onnx"): c for name, c in files.items()}})


def test_graph_that_is_none_is_refused() -> None:
    with pytest.raises(InputError, match=r"alpha\.onnx .* must be a graph"):
        LoadedBundle(sealed_with(alpha_onnx=b"not a graph"))


def test_graph_of_another_width_is_refused() -> None:
    files = made_bundle().files
    with pytest.raises(InputError, match=r"output of alpha\.onnx must be float64 of shape \(2, 2\), was .*\(2, 3\)"):
        LoadedBundle(sealed_with(alpha_onnx=files[REGIME_FILE]))


def test_bundle_without_a_graph_is_refused() -> None:
    bundle = made_bundle()
    with pytest.raises(InputError, match=rf"must hold {ALPHA_FILE}"):
        LoadedBundle(seal(bundle.manifest, {REGIME_FILE: bundle.files[REGIME_FILE]}))


def test_graph_of_other_features_is_refused() -> None:
    bundle = made_bundle()
    schema = replace(bundle.manifest.schema, features=bundle.manifest.schema.features[:-1])
    with pytest.raises(InputError, match="must take rows"):
        LoadedBundle(seal(replace(bundle.manifest, schema=schema), bundle.files))

from dataclasses import replace

import numpy as np
import pytest

from dataflows.indicators.schema import MARKET_SCHEMA
from inference.bundle import ALPHA_FILE, CARD_FILE, MANIFEST_FILE, REGIME_FILE
from inference.runtime import LoadedBundle
from inference.training.alpha import QUICK, fit_alphas
from inference.training.building import ACTING_NS, HORIZONS_NS, train
from inference.training.calibration import ACTIVITY, Costs, policy_for, residual_sigmas
from inference.training.dataset import split_by_time
from inference.training.evaluation import PARITY_TOLERANCE, check_parity, forecast_metrics
from inference.training.regime import fit_regimes
from sluice.errors import InvariantError
from tests.inference.making import COSTS, made_bundle, random_dataset


def test_training_twice_gives_the_same_bytes() -> None:
    again, _ = train(random_dataset(seed=1), "random rows 1", quick=True, costs=COSTS)
    assert again.files == made_bundle(1).files
    assert again.manifest.to_json() == made_bundle(1).manifest.to_json()
    assert made_bundle(2).version != again.version


def test_signal_in_the_rows_is_found_out_of_sample() -> None:
    metrics = made_bundle().manifest.metrics["return_30s"]
    assert metrics["correlation"] > 0.3
    assert metrics["hit_rate"] > 0.55
    assert metrics["rmse_ratio"] < 0.99


def test_noise_gives_no_figures_that_look_like_a_signal() -> None:
    dataset = random_dataset()
    shuffled = np.random.default_rng(5).permutation(dataset.returns_bps)
    bundle, _ = train(replace(dataset, returns_bps=shuffled), "noise", quick=True, costs=COSTS)
    metrics = bundle.manifest.metrics["return_30s"]
    assert abs(metrics["correlation"]) < 0.2
    assert metrics["rmse_ratio"] > 0.97


def test_served_predictions_are_those_of_the_card() -> None:
    loaded = LoadedBundle(made_bundle())
    test = split_by_time(random_dataset(seed=1), max(HORIZONS_NS)).test
    results = loaded.predict(test.features, [True] * len(test), [0.0] * len(test))
    acting = HORIZONS_NS.index(ACTING_NS)
    served = np.array([result.forecasts_bps[acting] for result in results])
    assert forecast_metrics(served, test.returns_bps[:, acting]) == made_bundle().manifest.metrics["return_30s"]


def test_trained_at_is_the_tapes_last_event_and_not_the_clock() -> None:
    assert made_bundle().manifest.trained_at == "2023-11-14T22:28:19Z"


def test_card_says_what_it_is_not_and_names_the_schema() -> None:
    card = made_bundle().files[CARD_FILE].decode()
    assert "not a trading edge" in card
    assert MARKET_SCHEMA.hash in card
    assert "BINANCE_USDM:A" in card


def test_bundle_is_small() -> None:
    assert sum(len(content) for content in made_bundle().files.values()) < 1_000_000
    assert sorted(made_bundle().files) == sorted([REGIME_FILE, ALPHA_FILE, CARD_FILE])
    assert MANIFEST_FILE not in made_bundle().files


def test_graph_that_differs_from_its_model_is_never_written() -> None:
    dataset = random_dataset()
    regime = fit_regimes(dataset.features, MARKET_SCHEMA.features, 1)
    alpha = fit_alphas(dataset, HORIZONS_NS, QUICK, 1)
    with pytest.raises(InvariantError, match=f"within {PARITY_TOLERANCE}"):
        check_parity(dataset.features, made_bundle(2).files, regime, alpha)


def test_error_sizes_are_those_of_each_regime() -> None:
    errors = np.array([1.0, -1.0] * 50 + [4.0, -4.0] * 50)
    regimes = np.repeat([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]], 100, axis=0)
    calm, normal, unseen = residual_sigmas(errors, regimes)
    assert (calm, normal) == pytest.approx((1.0, 4.0))
    assert unseen == pytest.approx(np.sqrt(8.5))


def test_thresholds_are_the_costs_where_forecasts_reach_them() -> None:
    policy = policy_for("return_30s", np.linspace(-50.0, 50.0, 1_001), Costs(4.0, 10.0))
    assert (policy.entry_bps, policy.strong_bps) == (4.0, 10.0)


def test_thresholds_shrink_to_what_forecasts_reach() -> None:
    forecasts = np.linspace(-1.0, 1.0, 1_001)
    policy = policy_for("return_30s", forecasts, Costs(4.0, 10.0))
    assert (np.abs(forecasts) >= policy.entry_bps).mean() == pytest.approx(ACTIVITY, abs=0.002)
    assert policy.strong_bps == pytest.approx(2.5 * policy.entry_bps, abs=1e-3)


def test_strong_threshold_stays_above_the_entry_where_all_fees_are_the_same() -> None:
    policy = policy_for("return_30s", np.linspace(-50.0, 50.0, 1_001), Costs(4.0, 4.0))
    assert (policy.entry_bps, policy.strong_bps) == (4.0, 6.0)


def test_card_tells_where_the_thresholds_are_below_the_costs() -> None:
    weak, _ = train(random_dataset(), "rows", quick=True, costs=Costs(400.0, 1_000.0))
    assert "Expect it to lose the difference" in weak.files[CARD_FILE].decode()
    assert "Expect it to lose" not in made_bundle().files[CARD_FILE].decode()


def test_metrics_of_a_known_forecast() -> None:
    returns = np.array([1.0, -1.0, 2.0, -2.0, 0.0])
    metrics = forecast_metrics(returns / 2.0, returns)
    assert (metrics["correlation"], metrics["hit_rate"], metrics["rmse_ratio"]) == (1.0, 1.0, 0.5)
    assert metrics["rows"] == 5


def test_metrics_of_a_forecast_that_says_nothing_are_defined() -> None:
    metrics = forecast_metrics(np.zeros(4), np.array([1.0, -1.0, 1.0, -1.0]))
    assert (metrics["correlation"], metrics["hit_rate"], metrics["rmse_ratio"]) == (0.0, 0.0, 1.0)

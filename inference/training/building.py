"""From labelled rows to a sealed bundle: fit, calibrate, evaluate, export, check, describe.

Nothing here reads a file or a clock, or draws a number that is not seeded: the same rows give the same bytes.
"""

from datetime import UTC, datetime

from dataflows.indicators.schema import FeatureSchema
from inference.bundle import ALPHA_FILE, CARD_FILE, REGIME_FILE, Bundle, seal
from inference.manifest import Horizon, Manifest, Schema
from inference.training import alpha as alphas
from inference.training.alpha import AlphaModel, fit_alphas
from inference.training.calibration import Costs, policy_for, residual_sigmas
from inference.training.card import card_of
from inference.training.dataset import Dataset, split_by_time
from inference.training.evaluation import check_parity, forecast_metrics, regime_metrics
from inference.training.graphs import mixture_graph, trees_graph
from inference.training.regime import REGIMES, RegimeModel, fit_regimes

SEED = 20240808
SECOND_NS = 1_000_000_000
HORIZONS_NS = (10 * SECOND_NS, 30 * SECOND_NS)
#: The horizon that the policy acts on.
ACTING_NS = 30 * SECOND_NS


def train(dataset: Dataset, trained_on: str, *, quick: bool, costs: Costs) -> tuple[Bundle, dict[str, float]]:
    """Fit, calibrate, evaluate and export; return the bundle and how far its graphs are from the native models.

    The bundle is named after the dataset's schema.
    """
    schema = dataset.schema
    split = split_by_time(dataset, max(HORIZONS_NS))
    regime = fit_regimes(split.fit.features, schema.features, SEED)
    alpha = fit_alphas(split.fit, HORIZONS_NS, alphas.QUICK if quick else alphas.FULL, SEED)
    width = len(schema.features)
    graphs = {REGIME_FILE: mixture_graph(regime.parameters, width), ALPHA_FILE: trees_graph(alpha.parameters, width)}
    parity = check_parity(dataset.features, graphs, regime, alpha)
    acting = HORIZONS_NS.index(ACTING_NS)
    calibration = alpha.forecasts(split.calibration.features)[:, acting]
    manifest = Manifest(
        name=schema.name, schema=Schema(schema.name, schema.version, schema.hash, schema.features), regimes=REGIMES,
        horizons=_horizons(split.calibration, regime, alpha),
        policy=policy_for(_horizon_name(ACTING_NS), calibration, costs),
        trained_on=trained_on, trained_at=_rfc3339(dataset.last_event_ns), files={},
        metrics=_metrics(split.test, schema, regime, alpha),
        inputs=() if dataset.inputs == schema.features else dataset.inputs)
    card = card_of(manifest, costs, dataset.instruments).encode()
    return seal(manifest, {**graphs, CARD_FILE: card}), parity


def _horizons(part: Dataset, regime: RegimeModel, alpha: AlphaModel) -> tuple[Horizon, ...]:
    errors = part.returns_bps - alpha.forecasts(part.features)
    probabilities = regime.probabilities(part.features)
    return tuple(
        Horizon(_horizon_name(horizon), horizon,
                tuple(round(sigma, 6) for sigma in residual_sigmas(errors[:, index], probabilities)))
        for index, horizon in enumerate(HORIZONS_NS))


def _metrics(part: Dataset, schema: FeatureSchema, regime: RegimeModel,
             alpha: AlphaModel) -> dict[str, dict[str, float]]:
    forecasts = alpha.forecasts(part.features)
    volatility = part.features[:, schema.features.index(alphas.SCALE_FEATURE)]
    figures = {_horizon_name(horizon): forecast_metrics(forecasts[:, index], part.returns_bps[:, index])
               for index, horizon in enumerate(HORIZONS_NS)}
    return {**figures, "regimes": regime_metrics(regime.probabilities(part.features), volatility)}


def _horizon_name(horizon_ns: int) -> str:
    return f"return_{horizon_ns // SECOND_NS}s"


def _rfc3339(time_ns: int) -> str:
    return datetime.fromtimestamp(time_ns // SECOND_NS, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

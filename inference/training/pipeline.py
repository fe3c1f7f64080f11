"""The training from end to end: tapes in, a checked bundle in the registry out.

The same tapes and settings give the same bytes: nothing here reads a clock or draws a number that is not seeded. What
the training is given in words (`trained_on`) is part of the bundle and hence of its version.
"""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from dataflows.indicators.schema import MARKET_SCHEMA, FeatureSchema
from inference.bundle import ALPHA_FILE, CARD_FILE, REGIME_FILE, Bundle, seal, write_bundle
from inference.manifest import Horizon, Manifest, Schema
from inference.registry import Registry
from inference.training import alpha as alphas
from inference.training.alpha import AlphaModel, fit_alphas
from inference.training.calibration import entry_threshold, policy_for, residual_sigmas
from inference.training.card import card_of
from inference.training.dataset import Dataset, build_dataset, split_by_time
from inference.training.evaluation import check_parity, forecast_metrics, regime_metrics
from inference.training.graphs import mixture_graph, trees_graph
from inference.training.regime import REGIMES, RegimeModel, fit_regimes
from inference.training.rows import feature_rows
from sluice.config.loading import catalog_of
from sluice.config.settings import Settings

NAME = "market"
SEED = 20240808
SECOND_NS = 1_000_000_000
HORIZONS_NS = (10 * SECOND_NS, 30 * SECOND_NS)
#: The horizon that the policy acts on.
ACTING_NS = 30 * SECOND_NS


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a training made, for the command line."""

    bundle: Bundle
    folder: Path
    rows: int
    parity: dict[str, float]

    def as_dict(self) -> dict[str, Any]:
        """Return the result as JSON has it."""
        manifest = self.bundle.manifest
        return {"version": manifest.version, "folder": str(self.folder), "rows": self.rows,
                "trained_on": manifest.trained_on, "trained_at": manifest.trained_at, "metrics": manifest.metrics,
                "onnx_differences": self.parity}

    def as_text(self) -> str:
        """Return the result for a person."""
        lines = [f"bundle {self.bundle.version} written to {self.folder} ({self.rows} labelled rows)"]
        for horizon in self.bundle.manifest.horizons:
            of = self.bundle.manifest.metrics[horizon.name]
            lines.append(f"  {horizon.name}: correlation {of['correlation']:.3f}, hit rate {of['hit_rate']:.3f}, "
                         f"rmse {of['rmse_ratio']:.3f} of a zero forecast's, out of sample on {of['rows']:.0f} rows")
        differences = ", ".join(f"{name} {difference:.1e}" for name, difference in self.parity.items())
        return "\n".join([*lines, f"  ONNX differs from the native models by at most: {differences}"])


def train_and_write(tapes: Sequence[Path], registry: Path, settings: Settings, *, quick: bool = False,
                    trained_on: str = "", show_progress: bool = False) -> Outcome:
    """Train on tapes, write the bundle into a registry and make it the active one there.

    Raises `NotFoundError` or `InputError` where the tapes are missing or too short.
    """
    with _Steps(show_progress) as steps:
        steps.begin("reading the tape")
        rows = feature_rows(tapes, catalog_of(settings), settings.source.tick_interval_ms * 1_000_000, steps.count)
        dataset = build_dataset(rows, HORIZONS_NS)
        steps.begin("fitting")
        words = trained_on or "the tape " + ", ".join(sorted(path.name for path in tapes))
        bundle, parity = train(dataset, MARKET_SCHEMA, words, quick=quick,
                               cost_bps=_round_trip_bps(settings))
        steps.begin("writing the bundle")
        folder = write_bundle(bundle, registry)
        Registry(registry).activate(bundle.version)
    return Outcome(bundle, folder, len(dataset), parity)


def train(dataset: Dataset, schema: FeatureSchema, trained_on: str, *, quick: bool,
          cost_bps: float) -> tuple[Bundle, dict[str, float]]:
    """Fit, calibrate, evaluate and export; return the bundle and how far its graphs are from the native models."""
    split = split_by_time(dataset, max(HORIZONS_NS))
    regime = fit_regimes(split.fit.features, schema.features, SEED)
    alpha = fit_alphas(split.fit, schema.features, HORIZONS_NS, alphas.QUICK if quick else alphas.FULL, SEED)
    width = len(schema.features)
    graphs = {REGIME_FILE: mixture_graph(regime.parameters, width), ALPHA_FILE: trees_graph(alpha.parameters, width)}
    parity = check_parity(dataset.features, graphs, regime, alpha)
    acting = HORIZONS_NS.index(ACTING_NS)
    threshold = entry_threshold(alpha.forecasts(split.calibration.features)[:, acting], cost_bps)
    manifest = Manifest(
        name=NAME, schema=Schema(schema.name, schema.version, schema.hash, schema.features), regimes=REGIMES,
        horizons=_horizons(split.calibration, regime, alpha), policy=policy_for(_horizon_name(ACTING_NS), threshold),
        trained_on=trained_on, trained_at=_rfc3339(dataset.last_event_ns), files={},
        metrics=_metrics(split.test, schema, regime, alpha))
    card = card_of(manifest, threshold, dataset.instruments).encode()
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


def _round_trip_bps(settings: Settings) -> float:
    """Return the fees of the shipped strategy's round trip: in by resting, out by taking."""
    fees = settings.execution.simulated
    return float(fees.maker_fee_bps + fees.taker_fee_bps)


def _rfc3339(time_ns: int) -> str:
    return datetime.fromtimestamp(time_ns // SECOND_NS, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class _Steps:
    """Progress on standard error, or none."""

    def __init__(self, show: bool) -> None:
        self._progress = Progress(TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[lines]}"),
                                  TimeElapsedColumn(), console=Console(stderr=True)) if show else None
        self._task: Any = None

    def __enter__(self) -> "_Steps":
        (self._progress or nullcontext()).__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        (self._progress or nullcontext()).__exit__(*error)

    def begin(self, description: str) -> None:
        """Finish the step before and show the next one."""
        if self._progress is not None:
            self._finish()
            self._task = self._progress.add_task(description, total=None, lines="")

    def count(self, lines: int) -> None:
        """Show how many lines were read."""
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, lines=f"{lines:,} lines")

    def _finish(self) -> None:
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, total=1, completed=1)

"""The training from end to end: tapes in, a checked bundle in the registry out.

The same tapes and settings give the same bytes. What the training is given in words (`trained_on`) is part of the
bundle and hence of its version.
"""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from dataflows.market_actors import schema_of_settings
from inference.bundle import Bundle, write_bundle
from inference.registry import Registry
from inference.training.building import HORIZONS_NS, train
from inference.training.calibration import Costs
from inference.training.dataset import build_dataset
from inference.training.rows import feature_rows
from sluice.clock import NS_PER_MS
from sluice.config.loading import catalog_of
from sluice.config.settings import Settings

#: A venue without fees still is no reason to trade on every forecast.
_LEAST_FEE_BPS = Decimal("0.5")


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
        schema = {"name": manifest.schema.name, "version": manifest.schema.version, "hash": manifest.schema.hash}
        return {"version": manifest.version, "schema": schema, "folder": str(self.folder), "rows": self.rows,
                "trained_on": manifest.trained_on, "trained_at": manifest.trained_at, "metrics": manifest.metrics,
                "onnx_differences": self.parity}

    def as_text(self) -> str:
        """Return the result for a person."""
        manifest = self.bundle.manifest
        inputs = len(manifest.inputs or manifest.schema.features)
        lines = [f"bundle {self.bundle.version} written to {self.folder} ({self.rows} labelled rows)",
                 f"  schema {manifest.schema.name} version {manifest.schema.version}, reads {inputs} of its features"]
        for horizon in self.bundle.manifest.horizons:
            of = self.bundle.manifest.metrics[horizon.name]
            lines.append(f"  {horizon.name}: correlation {of['correlation']:.3f}, hit rate {of['hit_rate']:.3f}, "
                         f"rmse {of['rmse_ratio']:.3f} of a zero forecast's, out of sample on {of['rows']:.0f} rows")
        differences = ", ".join(f"{name} {difference:.1e}" for name, difference in self.parity.items())
        return "\n".join([*lines, f"  ONNX differs from the native models by at most: {differences}"])


def train_and_write(tapes: Sequence[Path], registry: Path, settings: Settings, *, quick: bool = False,
                    trained_on: str = "", show_progress: bool = False) -> Outcome:
    """Train on tapes, write the bundle into a registry and make it the active one there.

    Each path is a recording of its own: the files of a folder are merged, two paths are not. Raises `NotFoundError` or
    `InputError` where the tapes are missing or too short.
    """
    with _Steps(show_progress) as steps:
        steps.begin("reading the tape")
        interval_ns = settings.source.tick_interval_ms * NS_PER_MS
        catalog = catalog_of(settings)
        schema, reference = schema_of_settings(settings.features), settings.features.reference
        recordings = (feature_rows([path], catalog, interval_ns, steps.count, schema=schema, reference=reference)
                      for path in tapes)
        dataset = build_dataset(recordings, HORIZONS_NS, schema)
        steps.begin("fitting")
        words = trained_on or "the tape " + ", ".join(sorted(path.name for path in tapes))
        bundle, parity = train(dataset, words, quick=quick, costs=_round_trip_costs(settings))
        steps.begin("writing the bundle")
        folder = write_bundle(bundle, registry)
        Registry(registry).activate(bundle.version)
    return Outcome(bundle, folder, len(dataset), parity)


def _round_trip_costs(settings: Settings) -> Costs:
    fees = settings.execution.simulated
    return Costs(2.0 * float(max(fees.maker_fee_bps, _LEAST_FEE_BPS)), 2.0 * float(fees.taker_fee_bps))


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

"""Runs a bundle: ONNX Runtime sessions for its two graphs, and the arithmetic from their outputs to predictions.

What a row is predicted to be never depends on the rows that are asked about with it, bit for bit. The graphs see to it:
the tree ensemble adds up its trees row by row, and the regime graph is made of additions and multiplications alone,
which IEEE 754 defines exactly. (A matrix product or a vectorised exponential would not do: how they are cut into
vector registers depends on the number of rows.) The last step of the regimes, the exponential, is therefore done here,
one row at a time. All of it is float64 and one thread.

It checks nothing about requests; that is the server's part.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import onnxruntime

from inference.bundle import ALPHA_FILE, REGIME_FILE, Bundle
from inference.policy import FLAT, Decision, decide
from sluice.errors import InputError

Matrix = npt.NDArray[np.float64]
WARM_UP_RUNS = 10
ROWS_NAME = "rows"


@dataclass(frozen=True, slots=True)
class RowPrediction:
    """What the models say of one row.

    regime_probabilities are in the manifest's order of regimes, forecasts_bps in its order of horizons. Of a row that
    is not valid nothing is said: both are empty and the decision is flat.
    """

    regime_probabilities: tuple[float, ...]
    forecasts_bps: tuple[float, ...]
    decision: Decision
    valid: bool


INVALID = RowPrediction((), (), FLAT, False)


class LoadedBundle:
    """A bundle with its sessions, checked and warm."""

    def __init__(self, bundle: Bundle, threads: int = 1) -> None:
        """Start the sessions and try them out. Raises `InputError` where the graphs are not what the manifest says."""
        self.manifest = bundle.manifest
        schema, inputs = self.manifest.schema, self.manifest.inputs
        self._inputs = [schema.features.index(name) for name in inputs or schema.features]
        self._acting = [horizon.name for horizon in self.manifest.horizons].index(self.manifest.policy.horizon)
        self._regime = _session(bundle, REGIME_FILE, threads)
        self._alpha = _session(bundle, ALPHA_FILE, threads)
        self._warm_up()

    @property
    def version(self) -> str:
        """Return the bundle's version."""
        return self.manifest.version

    def can_read(self, valid: Sequence[bool]) -> bool:
        """Tell whether a row of which these features are valid has everything that the models read."""
        return all(valid) or all(valid[column] for column in self._inputs)

    def predict(self, rows: Matrix, valid: Sequence[bool], positions: Sequence[float]) -> list[RowPrediction]:
        """Predict for each row of an array of shape (rows, features); one run a graph.

        `valid` says which rows may be read at all; one with an input that is not finite is not valid either.
        `positions` are the positions as parts of the largest allowed. Values so far off that a graph overflows on them
        are not valid either.
        """
        usable = np.isfinite(rows[:, self._inputs]).all(axis=1) & np.asarray(valid, np.bool_)
        kept = np.ascontiguousarray(rows[usable])
        if len(kept) == 0:
            return [INVALID] * len(rows)
        outputs = zip(self._log_densities(kept).tolist(), self._forecasts(kept).tolist(), strict=True)
        return [self._row(*next(outputs), position) if use else INVALID
                for use, position in zip(usable.tolist(), positions, strict=True)]

    def _row(self, log_densities: list[float], forecasts: list[float], position: float) -> RowPrediction:
        if not all(map(math.isfinite, (*log_densities, *forecasts))):
            return INVALID
        probabilities = posterior(log_densities)
        sigmas = self.manifest.horizons[self._acting].residual_sigma_bps
        decision = decide(self.manifest.policy, forecasts[self._acting], probabilities, sigmas, position)
        return RowPrediction(probabilities, tuple(forecasts), decision, True)

    def _log_densities(self, rows: Matrix) -> Matrix:
        return _run(self._regime, rows)

    def _forecasts(self, rows: Matrix) -> Matrix:
        return _run(self._alpha, rows)

    def _warm_up(self) -> None:
        """Run both graphs, and hold their outputs against the manifest."""
        manifest = self.manifest
        rows = np.zeros((2, len(manifest.schema.features)))
        for name, run, width in ((REGIME_FILE, self._log_densities, len(manifest.regimes)),
                                 (ALPHA_FILE, self._forecasts, len(manifest.horizons))):
            for _ in range(WARM_UP_RUNS):
                output = run(rows)
            if output.shape != (2, width) or output.dtype != np.float64:
                raise InputError(f"output of {name} must be float64 of shape (2, {width}), "
                                 f"was {output.dtype} of {output.shape}")
            if not np.isfinite(output).all():
                raise InputError(f"output of {name} must be finite, was {output.tolist()}")


def posterior(log_densities: Sequence[float]) -> tuple[float, ...]:
    """Return the probabilities of the regimes from their weighted log densities (a softmax that cannot overflow)."""
    largest = max(log_densities)
    weights = [math.exp(value - largest) for value in log_densities]
    total = math.fsum(weights)
    return tuple(weight / total for weight in weights)


def _session(bundle: Bundle, name: str, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if name not in bundle.files:
        raise InputError(f"a bundle must hold {name}, held {', '.join(sorted(bundle.files))}")
    try:
        return onnxruntime.InferenceSession(bundle.files[name], options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's exceptions have no common base of their own
        raise InputError(f"{name} of bundle {bundle.version} must be a graph that ONNX Runtime loads, "
                         f"was not: {error}") from error


def _run(session: onnxruntime.InferenceSession, rows: Matrix) -> Matrix:
    try:
        output: Matrix = session.run(None, {ROWS_NAME: rows})[0]
    except Exception as error:
        raise InputError(f"a bundle's graph must take rows of shape {rows.shape}, did not: {error}") from error
    return output

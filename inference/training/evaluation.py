"""Measures forecasts on rows that nothing was fitted on, and holds the ONNX graphs against the native models.

A forecast is measured against the naive one, which is always zero: an `rmse_ratio` below 1 is better than knowing
nothing.
The rows overlap in time and across instruments, so the figures are less certain than their number of rows suggests.
"""

import numpy as np
import numpy.typing as npt
import onnxruntime

from inference.bundle import ALPHA_FILE, REGIME_FILE
from inference.runtime import ROWS_NAME, posterior
from inference.training.alpha import AlphaModel
from inference.training.regime import REGIMES, RegimeModel
from sluice.errors import InvariantError

Vector = npt.NDArray[np.float64]

#: Largest absolute difference allowed between a graph and its native model (probabilities, and basis points).
PARITY_TOLERANCE = 1e-9


def forecast_metrics(forecasts_bps: Vector, returns_bps: Vector) -> dict[str, float]:
    """Return correlation, hit rate, the ratio of root mean square errors to a zero forecast's, and the number of rows.

    The hit rate counts rows where the price moved and the forecast is not zero. Undefined figures are 0.
    """
    moved = (returns_bps != 0.0) & (forecasts_bps != 0.0)
    hits = float((np.sign(forecasts_bps[moved]) == np.sign(returns_bps[moved])).mean()) if moved.any() else 0.0
    varied = forecasts_bps.std() > 0.0 and returns_bps.std() > 0.0
    correlation = float(np.corrcoef(forecasts_bps, returns_bps)[0, 1]) if varied else 0.0
    naive = float(np.sqrt((returns_bps ** 2).mean()))
    ratio = float(np.sqrt(((forecasts_bps - returns_bps) ** 2).mean())) / naive if naive > 0.0 else 0.0
    figures = {"correlation": correlation, "hit_rate": hits, "rmse_ratio": ratio,
               "realised_rms_bps": naive, "forecast_rms_bps": float(np.sqrt((forecasts_bps ** 2).mean()))}
    return {name: round(value, 4) for name, value in figures.items()} | {"rows": float(len(returns_bps))}


def regime_metrics(probabilities: Vector, volatility_bps: Vector) -> dict[str, float]:
    """Return each regime's share of the rows and the mean volatility of the rows it is likeliest on."""
    likeliest = probabilities.argmax(axis=1)
    figures: dict[str, float] = {}
    for index, name in enumerate(REGIMES):
        rows = likeliest == index
        figures[f"share_{name}"] = round(float(rows.mean()), 4)
        figures[f"volatility_60s_bps_{name}"] = round(float(volatility_bps[rows].mean()), 4) if rows.any() else 0.0
    return figures


def check_parity(rows: Vector, graphs: dict[str, bytes], regime: RegimeModel, alpha: AlphaModel) -> dict[str, float]:
    """Return the largest differences between graphs and native models on these rows.

    Raises `InvariantError` where one is above `PARITY_TOLERANCE`: such a bundle must not be written.
    """
    densities = run_graph(graphs[REGIME_FILE], rows)
    probabilities = np.array([posterior(row) for row in densities.tolist()])
    differences = {
        "regime": float(np.abs(probabilities - regime.probabilities(rows)).max()),
        "alpha_bps": float(np.abs(run_graph(graphs[ALPHA_FILE], rows) - alpha.forecasts(rows)).max()),
    }
    for name, difference in differences.items():
        if not difference <= PARITY_TOLERANCE:
            raise InvariantError(f"the {name} graph must be within {PARITY_TOLERANCE} of its model, was {difference}")
    return differences


def run_graph(graph: bytes, rows: Vector) -> Vector:
    """Run a graph once over feature rows."""
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    output: Vector = session.run(None, {ROWS_NAME: np.ascontiguousarray(rows)})[0]
    return output

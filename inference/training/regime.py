"""The regime model: a Gaussian mixture over volatility, spread and trend, with regimes ordered from calm to wild.

It sorts market conditions; it does not foresee them. The features enter as square roots: they are all positive and
skewed, and a square root, unlike a logarithm, is exact in IEEE 754 arithmetic and therefore the same everywhere.
The start of the fit is not random: the terciles of volatility.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.mixture import GaussianMixture
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # ships none

from inference.training.graphs import MixtureParameters

Vector = npt.NDArray[np.float64]

REGIMES = ("calm", "normal", "wild")
#: The first one orders the regimes.
REGIME_FEATURES = ("realised_volatility_60s_bps", "atr_bps", "spread_bps", "adx_14")
#: Added to the covariances' diagonals in scaled units: a feature that hardly moves must not decide everything.
_REGULARISATION = 0.05
_LEAST_SCALE = 1e-6


@dataclass(frozen=True, slots=True)
class RegimeModel:
    """The fitted mixture, and its parameters as the graph wants them, components ordered by volatility."""

    parameters: MixtureParameters
    mixture: Any
    order: npt.NDArray[np.int64]

    def probabilities(self, rows: Vector) -> Vector:
        """Return scikit-learn's probabilities of the regimes, shape (rows, regimes), in our order."""
        scaled = _scaled(_roots(rows, self.parameters.columns), self.parameters.centre, self.parameters.scale)
        probabilities: Vector = self.mixture.predict_proba(scaled)[:, self.order]
        return probabilities


def fit_regimes(rows: Vector, features: Sequence[str], seed: int) -> RegimeModel:
    """Fit the mixture on feature rows of shape (n, features)."""
    columns = tuple(features.index(name) for name in REGIME_FEATURES)
    roots = _roots(rows, columns)
    centre, scale = roots.mean(axis=0), np.maximum(roots.std(axis=0), _LEAST_SCALE)
    scaled = _scaled(roots, centre, scale)
    # Sums over threads would depend on the number of cores.
    with threadpool_limits(1):
        mixture = _started_at_terciles(scaled, seed).fit(scaled)
    order = np.argsort(mixture.means_[:, 0], kind="stable")
    parameters = MixtureParameters(columns, centre, scale, mixture.means_[order],
                                   mixture.precisions_cholesky_[order], mixture.weights_[order])
    return RegimeModel(parameters, mixture, order)


def _started_at_terciles(scaled: Vector, seed: int) -> GaussianMixture:
    parts = np.array_split(np.argsort(scaled[:, 0], kind="stable"), len(REGIMES))
    means = np.array([scaled[part].mean(axis=0) for part in parts])
    ridge = _REGULARISATION * np.eye(scaled.shape[1])
    precisions = np.array([np.linalg.inv(np.cov(scaled[part].T) + ridge) for part in parts])
    return GaussianMixture(
        len(REGIMES), covariance_type="full", reg_covar=_REGULARISATION, max_iter=300, random_state=seed,
        weights_init=np.full(len(REGIMES), 1.0 / len(REGIMES)), means_init=means, precisions_init=precisions)


def _roots(rows: Vector, columns: Sequence[int]) -> Vector:
    roots: Vector = np.sqrt(np.abs(rows[:, list(columns)]))
    return roots


def _scaled(roots: Vector, centre: Vector, scale: Vector) -> Vector:
    scaled: Vector = (roots - centre) / scale
    return scaled

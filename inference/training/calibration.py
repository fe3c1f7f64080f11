"""What is measured on the calibration part, which the models were not fitted on: error sizes and policy thresholds.

The entry threshold is the cost of a round trip where the forecasts ever reach it. Where they hardly do, a threshold at
the cost would never trade; it then falls to the quantile of forecast sizes that acts on `ACTIVITY` of the rows. The
card says so, because such a policy pays more in fees than its own forecasts promise.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from inference.policy import PolicyParameters

Vector = npt.NDArray[np.float64]

#: Share of rows on which the policy should act at least.
ACTIVITY = 0.03
#: The strong threshold, in entry thresholds.
STRONG = 2.0
HOLD_FRACTION = 0.5
#: One a regime, from calm to wild.
REGIME_CAUTION = (1.0, 1.0, 1.25)
#: A regime with less weight than this many rows has no error size of its own.
_LEAST_WEIGHT = 20.0


class Threshold(NamedTuple):
    """The entry threshold, and the cost of a round trip that it is held against, in basis points."""

    entry_bps: float
    cost_bps: float


def residual_sigmas(errors_bps: Vector, regime_probabilities: Vector) -> tuple[float, ...]:
    """Return the root mean square error in each regime; rows count by their probability of it.

    errors_bps: shape (n,). regime_probabilities: shape (n, regimes).
    """
    squares = errors_bps ** 2
    overall = squares.mean()
    weights = regime_probabilities.sum(axis=0)
    means = (squares @ regime_probabilities) / np.maximum(weights, 1.0)
    return tuple(np.sqrt(np.where(weights >= _LEAST_WEIGHT, means, overall)).tolist())


def entry_threshold(forecasts_bps: Vector, cost_bps: float) -> Threshold:
    """Return the cost of a round trip, or less where fewer than `ACTIVITY` of the forecasts reach it."""
    reached = float(np.quantile(np.abs(forecasts_bps), 1.0 - ACTIVITY))
    return Threshold(float(np.clip(reached, 1e-3, cost_bps)), cost_bps)


def policy_for(horizon: str, threshold: Threshold) -> PolicyParameters:
    """Return the policy of a threshold; its numbers are rounded to be readable in the manifest."""
    entry = round(threshold.entry_bps, 3)
    return PolicyParameters(horizon=horizon, entry_bps=entry, strong_bps=round(STRONG * entry, 3),
                            hold_fraction=HOLD_FRACTION, regime_caution=REGIME_CAUTION)

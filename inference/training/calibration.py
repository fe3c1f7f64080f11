"""What is measured on the calibration part, which the models were not fitted on: error sizes and policy thresholds.

The thresholds are the fees of a round trip: the entry threshold of one that rests both ways, the strong one of one that
takes both ways. A forecast between the two pays only where the order is filled at its own side of the book, which is
how the shipped strategy enters on a stance of 1. Where forecasts hardly ever reach the entry threshold it would never
trade; both then shrink until `ACTIVITY` of the rows act. The card says so, because such a policy pays more in fees than
its own forecasts promise.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from inference.policy import PolicyParameters

Vector = npt.NDArray[np.float64]

#: Share of rows on which the policy should act at least.
ACTIVITY = 0.03
#: The strong threshold is at least this many entry thresholds.
LEAST_STRONG = 1.5
HOLD_FRACTION = 0.5
#: One a regime, from calm to wild.
REGIME_CAUTION = (1.0, 1.0, 1.25)
#: A regime with less weight than this many rows has no error size of its own.
_LEAST_WEIGHT = 20.0


class Costs(NamedTuple):
    """Fees of a round trip in basis points: resting both ways, and taking both ways."""

    resting_bps: float
    taking_bps: float


def residual_sigmas(errors_bps: Vector, regime_probabilities: Vector) -> tuple[float, ...]:
    """Return the root mean square error in each regime; rows count by their probability of it.

    errors_bps: shape (n,). regime_probabilities: shape (n, regimes).
    """
    squares = errors_bps ** 2
    overall = squares.mean()
    weights = regime_probabilities.sum(axis=0)
    means = (squares @ regime_probabilities) / np.maximum(weights, 1.0)
    return tuple(np.sqrt(np.where(weights >= _LEAST_WEIGHT, means, overall)).tolist())


def policy_for(horizon: str, forecasts_bps: Vector, costs: Costs) -> PolicyParameters:
    """Return the policy for forecasts of this size; its numbers are rounded to be readable in the manifest."""
    reached = float(np.quantile(np.abs(forecasts_bps), 1.0 - ACTIVITY))
    entry = round(float(np.clip(reached, 1e-3, costs.resting_bps)), 3)
    strong = entry * max(costs.taking_bps / costs.resting_bps, LEAST_STRONG)
    return PolicyParameters(horizon=horizon, entry_bps=entry, strong_bps=round(strong, 3),
                            hold_fraction=HOLD_FRACTION, regime_caution=REGIME_CAUTION)

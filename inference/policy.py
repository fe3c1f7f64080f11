"""The policy: from a forecast, its uncertainty and the regime to a stance of -2 to +2.

Let f be the forecast return in basis points over the policy's horizon, sigma the standard deviation of its error, mixed
over the regimes with their probabilities p_k (the law of total variance with equal means):

    sigma^2 = sum_k p_k * sigma_k^2

and m = sum_k p_k * m_k the regime's caution (1 in the calm, more in the wild). The predictive distribution of the
return is r ~ N(f, sigma^2). Four thresholds cut it into the five stances, with e = entry_bps * m, s = strong_bps * m:

    -2: r <= -s    -1: -s < r <= -e    0: -e < r < e    +1: e <= r < s    +2: r >= s

The probabilities are those of r falling into each of the five. The action is the stance that the *forecast itself*
falls into (the median of the distribution, not its most likely stance: a wide distribution has most of its mass in the
outer two whatever the forecast says). A position is kept, at the stance it has, for as long as the forecast points its
way by at least hold_fraction * e: opening and closing cost money, keeping does not.

It is not an optimiser, and it knows nothing about the account: how much may be traded is for risk to say.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from sluice.errors import InputError

STANCES = (-2, -1, 0, 1, 2)
STRONGEST = 2


@dataclass(frozen=True, slots=True)
class PolicyParameters:
    """Parameters of the policy; they travel in the bundle's manifest.

    horizon: name of the alpha that is acted on. entry_bps, strong_bps: thresholds in basis points, 0 < entry < strong.
    hold_fraction: the part of the entry threshold that keeps a position, 0 to 1. regime_caution: one factor a regime,
    at least 1 each.
    """

    horizon: str
    entry_bps: float
    strong_bps: float
    hold_fraction: float
    regime_caution: tuple[float, ...]

    def __post_init__(self) -> None:
        """Refuse parameters that the formula has no meaning for. Raises `InputError`."""
        if not 0.0 < self.entry_bps < self.strong_bps < math.inf:
            raise InputError("thresholds must be 0 < entry_bps < strong_bps, "
                             f"were {self.entry_bps} and {self.strong_bps}")
        if not 0.0 <= self.hold_fraction <= 1.0:
            raise InputError(f"hold_fraction must be between 0 and 1, was {self.hold_fraction}")
        if not all(1.0 <= caution < math.inf for caution in self.regime_caution):
            raise InputError(f"regime_caution must be at least 1 each, was {self.regime_caution}")


@dataclass(frozen=True, slots=True)
class Decision:
    """A stance from -2 to +2 and the probabilities of the five, in the order of `STANCES`; they sum to 1."""

    action: int
    probabilities: tuple[float, ...]


FLAT = Decision(0, (0.0, 0.0, 1.0, 0.0, 0.0))


def mixed_sigma(regime_probabilities: Sequence[float], sigmas: Sequence[float]) -> float:
    """Return the standard deviation of the forecast's error over the regimes, in basis points."""
    return math.sqrt(math.fsum(p * s * s for p, s in zip(regime_probabilities, sigmas, strict=True)))


def decide(parameters: PolicyParameters, forecast_bps: float, regime_probabilities: Sequence[float],
           sigmas: Sequence[float], position_fraction: float) -> Decision:
    """Return the stance for a forecast; see the module's docstring for the formula.

    `position_fraction` is the position now as a part of the largest allowed; beyond -1 to 1 it is cut to that.
    """
    caution = math.fsum(p * c for p, c in zip(regime_probabilities, parameters.regime_caution, strict=True))
    entry, strong = parameters.entry_bps * caution, parameters.strong_bps * caution
    sigma = mixed_sigma(regime_probabilities, sigmas)
    stance = stance_of(forecast_bps, entry, strong)
    held = held_stance(position_fraction)
    if held * forecast_bps > 0 and abs(held) > abs(stance) and abs(forecast_bps) >= parameters.hold_fraction * entry:
        stance = held
    return Decision(stance, stance_probabilities(forecast_bps, sigma, entry, strong))


def stance_of(return_bps: float, entry: float, strong: float) -> int:
    """Return the stance whose part of the axis a return lies in."""
    size = (abs(return_bps) >= entry) + (abs(return_bps) >= strong)
    return int(math.copysign(size, return_bps))


def held_stance(position_fraction: float) -> int:
    """Return the nearest of the five stances to a position, where 1 is half of the largest position."""
    size = math.floor(min(abs(position_fraction), 1.0) * STRONGEST + 0.5)
    return int(math.copysign(size, position_fraction))


def stance_probabilities(forecast_bps: float, sigma: float, entry: float, strong: float) -> tuple[float, ...]:
    """Return the probabilities of the five stances under N(forecast, sigma^2), in the order of `STANCES`."""
    cumulative = [0.0, *(_normal_cdf(t - forecast_bps, sigma) for t in (-strong, -entry, entry, strong)), 1.0]
    return tuple(high - low for low, high in pairwise(cumulative))


def _normal_cdf(distance: float, sigma: float) -> float:
    if sigma <= 0.0:
        return float(distance > 0.0)
    return 0.5 * math.erfc(-distance / (sigma * math.sqrt(2.0)))

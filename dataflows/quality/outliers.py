"""Whether a value is far beyond what a stream has shown so far: a running median and spread that outliers cannot move.

Median and spread (the median ratio of a value to it, or of it to the value) each take a small step towards every
value, by its sign alone: however great an outlier is, it moves them no further than any other value. Steps are ratios,
so values of any size do. This is frugal streaming (Ma, Muthukrishnan and Sandler, "Frugal Streaming for Estimating
Quantiles", 2013) with steps that begin large and then stay the same, so that both follow a market that changes.
"""

from dataflows.kernels import Record, part

#: Values before any is an outlier.
WARM_UP = 500
#: The spread is taken for at least this ratio: a stream of equal values has none.
LEAST_SPREAD = 1.65
#: The step once warm.
STEP = 0.002
_FIRST_STEPS = 4.0


@part
def is_outlier(scale: Record, value: float) -> bool:
    """Tell whether a positive value is above a `SCALE`'s median by the tenth power of its spread, and learn from it."""
    scale.seen += 1
    if scale.seen == 1:
        scale.middle, scale.spread = value, 1.0
    above = value > scale.middle
    ratio = value / scale.middle if above else scale.middle / value
    found = bool(above and scale.seen > WARM_UP and ratio > _tenth_power(max(scale.spread, LEAST_SPREAD)))
    factor = 1.0 + max(STEP, _FIRST_STEPS / scale.seen)
    if above:
        scale.middle *= factor
    elif ratio > 1.0:
        scale.middle /= factor
    scale.spread = scale.spread * factor if ratio > scale.spread else max(1.0, scale.spread / factor)
    return found


@part
def _tenth_power(value: float) -> float:
    square = value * value
    fourth = square * square
    return fourth * fourth * square

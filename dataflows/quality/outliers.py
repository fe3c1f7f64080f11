"""Whether a value is far beyond what a stream has shown so far: a running median and spread that outliers cannot move.

Median and spread (the median distance from it) each take a small step towards every value, by its sign alone: however
great an outlier is, it moves them no further than any other value. Values are logarithms, so a step is a ratio. This is
frugal streaming (Ma, Muthukrishnan and Sandler, "Frugal Streaming for Estimating Quantiles", 2013) with steps that
begin large and then stay the same, so that both follow a market that changes.
"""

from dataflows.kernels import Record, part

#: Values before any is an outlier.
WARM_UP = 500
#: How many spreads above the median an outlier is.
LIMIT_SPREADS = 10.0
#: The spread is taken for at least this: a stream of equal values has none.
LEAST_SPREAD = 0.5
#: The step once warm, as a logarithm: a factor of 1.01.
STEP = 0.01
_FIRST_STEPS = 4.0


@part
def is_outlier(scale: Record, value: float) -> bool:
    """Tell whether a logarithm is an outlier of a `SCALE` upwards, and learn from it."""
    scale.seen += 1
    if scale.seen == 1:
        scale.middle = value
    far = value - scale.middle
    found = bool(scale.seen > WARM_UP and far > LIMIT_SPREADS * max(scale.spread, LEAST_SPREAD))
    step = max(STEP, _FIRST_STEPS / scale.seen)
    scale.middle += step if far > 0.0 else -step if far < 0.0 else 0.0
    scale.spread = max(0.0, scale.spread + (step if abs(far) > scale.spread else -step))
    return found

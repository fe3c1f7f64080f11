"""Statistical features: how returns are distributed, remember and jump, and what the ranges of bars say of volatility.

`features` says what they are, `state` holds what they need of the stream and fills them, the other modules are the
plain kernels, each a function of a window; `batch` runs both over arrays. None knows where prices come from.
"""

from dataflows.indicators.statistical.features import FEATURES
from dataflows.indicators.statistical.state import (
    MINUTE_CAPACITY,
    SECOND_CAPACITY,
    STATISTICAL,
    add_bar,
    fill,
    on_second,
    restart,
)

__all__ = [
    "FEATURES",
    "MINUTE_CAPACITY",
    "SECOND_CAPACITY",
    "STATISTICAL",
    "add_bar",
    "fill",
    "on_second",
    "restart",
]

"""Microstructure: what the book, the trades and the derivative's own streams say within minutes.

`observer` is the whole family for an actor, `batch` the same kernels over arrays. The rest are its parts: `best_prices`
(the touch), `depth` (levels of the book), `seconds` (buckets of one second that every window is made of), `order_flow`,
`trades`, `spreads`, `liquidity`, `volume_buckets` (VPIN) and `derivatives` (funding, basis, open interest,
liquidations). None knows frames, decoders or the actor. A kernel that needs the touch alone imports `best_prices`, so
that its compiled code does not go by all of this.
"""

from dataflows.indicators.microstructure.best_prices import (
    imbalance,
    microprice_deviation_bps,
    mid_price,
    spread_bps,
)
from dataflows.indicators.microstructure.observer import (
    FEATURES,
    MICROSTRUCTURE,
    fill,
    on_levels,
    on_liquidation,
    on_mark,
    on_open_interest,
    on_second,
    on_top,
    on_trade,
    restart,
)
from dataflows.indicators.microstructure.seconds import SECOND_CAPACITY

__all__ = [
    "FEATURES",
    "MICROSTRUCTURE",
    "SECOND_CAPACITY",
    "fill",
    "imbalance",
    "microprice_deviation_bps",
    "mid_price",
    "on_levels",
    "on_liquidation",
    "on_mark",
    "on_open_interest",
    "on_second",
    "on_top",
    "on_trade",
    "restart",
    "spread_bps",
]

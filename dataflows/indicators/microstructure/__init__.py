"""Microstructure: what the book, the trades and the derivative's own streams say within minutes.

`observer` is the whole family for an actor, `batch` the same kernels over arrays. The rest are its parts: `best_prices`
(the touch), `depth` (levels of the book), `seconds` (buckets of one second that every window is made of), `order_flow`,
`trades`, `spreads`, `liquidity`, `volume_buckets` (VPIN) and `derivatives` (funding, basis, open interest,
liquidations). None knows frames, decoders or the actor.
"""

from dataflows.indicators.microstructure.best_prices import (
    imbalance,
    microprice_deviation_bps,
    mid_price,
    spread_bps,
)

__all__ = ["imbalance", "microprice_deviation_bps", "mid_price", "spread_bps"]

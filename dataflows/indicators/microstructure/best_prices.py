"""What the book says at one moment: spread, imbalance of quantities, microprice.

The imbalance of the best n levels is `(B - A) / (B + A)` of the summed bid and ask quantities (Cartea, Jaimungal and
Penalva, "Algorithmic and High-Frequency Trading", 2015, chapter 12). The microprice weighs each best price with the
quantity of the other side (Gatheral and Oomen, 2010).
"""

from dataflows.indicators.windows import BASIS_POINTS
from dataflows.kernels import kernel


@kernel
def imbalance(bid_quantity: float, ask_quantity: float) -> float:
    """Return the imbalance, -1 (all on the ask) to 1; 0 where there is nothing."""
    both = bid_quantity + ask_quantity
    return (bid_quantity - ask_quantity) / both if both > 0.0 else 0.0


@kernel
def mid_price(bid: float, ask: float) -> float:
    """Return the mean of the best prices."""
    return 0.5 * (bid + ask)


@kernel
def spread_bps(bid: float, ask: float) -> float:
    """Return the spread relative to the mid price in basis points."""
    return BASIS_POINTS * (ask - bid) / mid_price(bid, ask)


@kernel
def microprice_deviation_bps(bid: float, bid_quantity: float, ask: float, ask_quantity: float) -> float:
    """Return how far the microprice is from the mid price, in basis points: half the spread times the imbalance."""
    return 0.5 * spread_bps(bid, ask) * imbalance(bid_quantity, ask_quantity)

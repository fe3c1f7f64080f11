"""The versioned list of features: which value stands where in a feature row, and what it means.

A schema travels with every row, training set and model by its hash, so that a model never reads one column as another.
Changing a name, the order or a definition means a new version.
"""

import hashlib
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class FeatureSchema:
    """Names and order of the values of a feature row."""

    name: str
    version: int
    features: tuple[str, ...]

    @cached_property
    def hash(self) -> str:
        """Return the SHA-256 over name, version and feature names, one a line, hexadecimal."""
        text = "\n".join((self.name, str(self.version), *self.features))
        return hashlib.sha256(text.encode()).hexdigest()

    def index(self, feature: str) -> int:
        """Return the column of a feature. Raises `ValueError` where the schema has none of that name."""
        return self.features.index(feature)


#: What a market actor says of an instrument at a tick. Definitions and sources are in `microstructure`, `windows` and
#: `wilder`. `bps` are basis points; volumes are in base units (linear) or contracts (inverse); windows end at the last
#: whole second of event time.
MARKET_SCHEMA = FeatureSchema(
    name="market",
    version=1,
    features=(
        "spread_bps",                   # best ask less best bid, relative to the mid price
        "imbalance_1",                  # (bid - ask) / (bid + ask) quantity of the best level, -1 to 1
        "imbalance_5",                  # the same over the best 5 levels
        "imbalance_20",                 # the same over the best 20 levels
        "microprice_deviation_bps",     # quantity-weighted mid price less mid price
        "cvd_1s",                       # cumulative volume delta: bought less sold quantity of the last second
        "cvd_10s",
        "cvd_60s",
        "flow_imbalance_1s",            # cumulative volume delta over the whole volume, -1 to 1; 0 without trades
        "flow_imbalance_10s",
        "flow_imbalance_60s",
        "trade_rate_10s",               # trades a second
        "return_1s_bps",                # log return of the mid price
        "return_5s_bps",
        "return_30s_bps",
        "return_60s_bps",
        "realised_volatility_10s_bps",  # root of the sum of squared one-second log returns of the mid price
        "realised_volatility_60s_bps",
        "average_true_range",           # Wilder, 14 bars, in price units
        "atr_bps",                      # the same relative to the mid price
        "adx_14",                       # average directional index, Wilder, 0 to 100
        "rsi_14",                       # relative strength index, Wilder, 0 to 100
    ),
)

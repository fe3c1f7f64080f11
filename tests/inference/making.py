"""Rows and bundles for tests: random rows of the market's schema with a signal in them, and models trained on these."""

from functools import cache

import numpy as np

from dataflows.indicators.schema import MARKET_SCHEMA
from inference.bundle import Bundle
from inference.runtime import Matrix
from inference.training.building import HORIZONS_NS, SECOND_NS, train
from inference.training.calibration import Costs
from inference.training.dataset import Dataset

FEATURES = len(MARKET_SCHEMA.features)
COSTS = Costs(4.0, 10.0)
START_NS = 1_700_000_000 * SECOND_NS


def random_rows(count: int, seed: int) -> Matrix:
    """Return feature rows of three kinds of volatility, shape (count, features)."""
    generator = np.random.default_rng(seed)
    wildness = generator.choice([1.0, 3.0, 9.0], size=(count, 1))
    rows: Matrix = generator.normal(size=(count, FEATURES)) * np.sqrt(wildness)
    for name in ("realised_volatility_10s_bps", "realised_volatility_60s_bps"):
        rows[:, MARKET_SCHEMA.index(name)] = np.abs(wildness[:, 0] * generator.normal(2.0, 0.3, count))
    rows[:, MARKET_SCHEMA.index("spread_bps")] = np.abs(generator.normal(0.5, 0.1, count))
    rows[:, MARKET_SCHEMA.index("adx_14")] = generator.uniform(0.0, 60.0, count)
    return rows


def random_dataset(seconds: int = 900, seed: int = 1) -> Dataset:
    """Return rows of two instruments, one a second, whose returns follow the imbalance with noise."""
    count = 2 * seconds
    rows = random_rows(count, seed)
    noise = np.random.default_rng(seed + 1).normal(size=(count, len(HORIZONS_NS)))
    volatility = rows[:, [MARKET_SCHEMA.index("realised_volatility_60s_bps")]]
    signal = np.tanh(rows[:, [MARKET_SCHEMA.index("imbalance_5")]])
    times = START_NS + np.repeat(np.arange(seconds), 2) * SECOND_NS
    return Dataset(times, rows, (signal + noise) * volatility, int(times[-1]), ("BINANCE_USDM:A", "BINANCE_USDM:B"))


@cache
def made_bundle(seed: int = 1) -> Bundle:
    """Return a small bundle; other seeds give other versions."""
    bundle, _ = train(random_dataset(seed=seed), f"random rows {seed}", quick=True, costs=COSTS)
    return bundle

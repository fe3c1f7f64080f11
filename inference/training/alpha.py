"""The alphas: boosted trees that forecast the mid price's return over a horizon.

The target is the return as a multiple of the volatility that the row itself tells of, so that one model serves
instruments and days of different volatility; the graph multiplies it back to basis points:

    forecast_bps = trees(row) * max(realised_volatility_60s_bps, floor) * sqrt(horizon / 60 s)

Features in price or quantity units are left out for the same reason. Training is deterministic: one thread, fixed
seeds, rows in the order of time.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import lightgbm
import numpy as np
import numpy.typing as npt

from inference.training.dataset import Dataset
from inference.training.graphs import TreeParameters

Vector = npt.NDArray[np.float64]

SCALE_FEATURE = "realised_volatility_60s_bps"
SCALE_WINDOW_NS = 60_000_000_000
#: Basis points a minute: a market that stood still is taken to move by this much.
SCALE_FLOOR_BPS = 0.5
#: What a unit has in it that means something else for each instrument.
_NOT_SCALE_FREE = ("price", "base unit", "contract", "quote unit")


@dataclass(frozen=True, slots=True)
class TreeSettings:
    """Size of the boosters."""

    trees: int
    leaves: int
    rows_a_leaf: int
    learning_rate: float


FULL = TreeSettings(trees=200, leaves=15, rows_a_leaf=200, learning_rate=0.03)
QUICK = TreeSettings(trees=60, leaves=7, rows_a_leaf=40, learning_rate=0.05)


@dataclass(frozen=True, slots=True)
class AlphaModel:
    """The fitted boosters, one a horizon, and what turns their outputs into basis points."""

    boosters: tuple[Any, ...]
    parameters: TreeParameters

    def forecasts(self, rows: Vector) -> Vector:
        """Return LightGBM's forecasts in basis points of feature rows, shape (rows, horizons)."""
        inputs = rows[:, list(self.parameters.columns)]
        outputs = np.column_stack([booster.predict(inputs, num_threads=1) for booster in self.boosters])
        volatility = np.maximum(rows[:, [self.parameters.scale_column]], self.parameters.scale_floor)
        forecasts: Vector = outputs * volatility * np.array(self.parameters.scale_factors)
        return forecasts


def fit_alphas(dataset: Dataset, horizons_ns: Sequence[int], settings: TreeSettings,
               seed: int) -> AlphaModel:
    """Fit one booster a horizon, in the order of the dataset's labels, on those of its inputs that are scale-free."""
    columns = _columns(dataset)
    scale_column = dataset.schema.index(SCALE_FEATURE)
    factors = tuple(math.sqrt(horizon / SCALE_WINDOW_NS) for horizon in horizons_ns)
    volatility = np.maximum(dataset.features[:, [scale_column]], SCALE_FLOOR_BPS)
    targets = dataset.returns_bps / (volatility * np.array(factors))
    inputs = dataset.features[:, list(columns)]
    boosters = tuple(_fit_one(inputs, targets[:, index], settings, seed) for index in range(len(horizons_ns)))
    dumps = tuple(booster.dump_model() for booster in boosters)
    return AlphaModel(boosters, TreeParameters(dumps, columns, scale_column, SCALE_FLOOR_BPS, factors))


def _columns(dataset: Dataset) -> tuple[int, ...]:
    inputs = frozenset(dataset.inputs)
    return tuple(
        column for column, entry in enumerate(dataset.schema.entries)
        if entry.name in inputs and not any(word in entry.unit for word in _NOT_SCALE_FREE))


def _fit_one(inputs: Vector, target: Vector, settings: TreeSettings, seed: int) -> Any:
    parameters = {
        "objective": "regression", "num_leaves": settings.leaves, "min_data_in_leaf": settings.rows_a_leaf,
        "learning_rate": settings.learning_rate, "feature_fraction": 0.8, "bagging_fraction": 0.7, "bagging_freq": 1,
        "lambda_l2": 10.0, "seed": seed, "deterministic": True, "force_row_wise": True, "num_threads": 1,
        "verbosity": -1,
    }
    return lightgbm.train(parameters, lightgbm.Dataset(inputs, target), settings.trees)

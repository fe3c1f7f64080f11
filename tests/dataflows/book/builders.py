"""Levels as a frame has them, from ticks or from prices."""

from decimal import Decimal

import numpy as np

from dataflows.kernels import Floats
from tests.dataflows.book.plain_book import Level

TICK = Decimal("0.10")


def rows(levels: list[Level]) -> Floats:
    return np.array([[float(ticks * TICK), quantity] for ticks, quantity in levels]).reshape(-1, 2)


def row(*levels: tuple[str, float]) -> Floats:
    return np.array([[float(price), quantity] for price, quantity in levels]).reshape(-1, 2)


NONE = row()

"""The versioned list of features: which value stands where in a feature row, and what it means.

A schema travels with every row, training set and model by its hash, so that a model never reads one column as another.
Changing a name, the order or a definition means a new version. The sets that there are besides the light one are in
`schemas`.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Self

from dataflows.indicators.light import LIGHT
from dataflows.indicators.registry import Feature


@dataclass(frozen=True)
class FeatureSchema:
    """Names and order of the values of a feature row; `entries` say what each is, where that is known."""

    name: str
    version: int
    features: tuple[str, ...]
    entries: tuple[Feature, ...] = field(default=(), compare=False, repr=False)

    @classmethod
    def of(cls, name: str, version: int, entries: Sequence[Feature]) -> Self:
        """Return the schema of some features in their order."""
        return cls(name, version, tuple(entry.name for entry in entries), tuple(entries))

    @cached_property
    def hash(self) -> str:
        """Return the SHA-256 over name, version and feature names, one a line, hexadecimal."""
        text = "\n".join((self.name, str(self.version), *self.features))
        return hashlib.sha256(text.encode()).hexdigest()

    def index(self, feature: str) -> int:
        """Return the column of a feature. Raises `ValueError` where the schema has none of that name."""
        return self.features.index(feature)


#: What a market actor says of an instrument at a tick, without observers.
MARKET_SCHEMA = FeatureSchema.of("market", 1, LIGHT)

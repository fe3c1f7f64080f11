"""The manifest of a model bundle: everything about the models that is not a weight.

It is JSON in one canonical form (sorted keys, two spaces, a newline at the end), so that the same training gives the
same bytes. The bundle's version is the SHA-256 over the manifest without its version; the manifest holds the SHA-256 of
every other file, so the version covers them all.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, field, replace
from typing import Self

import msgspec

from inference.policy import PolicyParameters
from sluice.errors import InputError

MANIFEST_FORMAT = 1
VERSION_LENGTH = 12


@dataclass(frozen=True, slots=True)
class Schema:
    """The feature schema that a bundle was trained on; its hash must be that of every row it is asked about."""

    name: str
    version: int
    hash: str
    features: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Horizon:
    """One alpha: the forecast of the mid price's return over `horizon_ns`.

    `residual_sigma_bps` holds one standard deviation a regime: how wrong the forecast was in that regime on rows that
    the model had not been fitted to.
    """

    name: str
    horizon_ns: int
    residual_sigma_bps: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a bundle is. `metrics` and `trained_on` are for people; everything else is read by the server.

    `inputs` names the features that the models read where these are not all: a row must be valid in them alone.
    """

    name: str
    schema: Schema
    regimes: tuple[str, ...]
    horizons: tuple[Horizon, ...]
    policy: PolicyParameters
    trained_on: str
    trained_at: str
    files: dict[str, str]
    metrics: dict[str, dict[str, float]] = field(default_factory=dict)
    inputs: tuple[str, ...] = ()
    version: str = ""
    format: int = MANIFEST_FORMAT

    def sealed(self) -> Self:
        """Return the manifest with its version: the first 12 digits of the SHA-256 over everything else in it."""
        digest = hashlib.sha256(replace(self, version="").to_json()).hexdigest()
        return replace(self, version=digest[:VERSION_LENGTH])

    def to_json(self) -> bytes:
        """Return the canonical JSON, with `inputs` where there are some. NaN and infinities cannot be written."""
        data = {name: value for name, value in asdict(self).items() if name != "inputs" or value}
        return (json.dumps(data, sort_keys=True, indent=2, allow_nan=False) + "\n").encode()

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """Read a manifest and check that it fits together. Raises `InputError`."""
        try:
            manifest = msgspec.json.decode(data, type=cls)
        except msgspec.MsgspecError as error:
            raise InputError(f"manifest.json must be a bundle's manifest, was not: {error}") from error
        manifest.check()
        return manifest

    def check(self) -> None:
        """Hold the parts against each other. Raises `InputError`."""
        if self.format != MANIFEST_FORMAT:
            raise InputError(f"manifest format must be {MANIFEST_FORMAT}, was {self.format}",
                             fix="train the bundle again with this version of sluice")
        if self.version != (expected := self.sealed().version):
            raise InputError(f"bundle version must be {expected}, was {self.version!r}",
                             fix="the bundle was changed: train it again")
        if not self.horizons or not self.regimes:
            raise InputError("a bundle must have at least one regime and one horizon, had none")
        if unknown := set(self.inputs) - set(self.schema.features):
            raise InputError(f"inputs must be features of the bundle's schema, had {', '.join(sorted(unknown))}")
        for horizon in self.horizons:
            if len(horizon.residual_sigma_bps) != len(self.regimes):
                raise InputError(f"residual_sigma_bps of {horizon.name} must have {len(self.regimes)} values, "
                                 f"was {len(horizon.residual_sigma_bps)}")
        if self.policy.horizon not in {horizon.name for horizon in self.horizons}:
            raise InputError(f"policy horizon must be one of the bundle's, was {self.policy.horizon!r}")

"""The sets of features that there are, found by name or hash: `market` (the light set) and `full`.

`full` is the light set followed by its families, those on bars once for each length of bar. It is named `full` where
the bars are of `FULL_BARS`, else by their lengths (`full_1s_15m`), so that a name always says what a row holds.
"""

import difflib
from collections.abc import Sequence
from functools import cache

from dataflows.indicators import cross_asset, microstructure, session, statistical, technical
from dataflows.indicators.bar_lengths import length_name, parse_lengths
from dataflows.indicators.light import LIGHT
from dataflows.indicators.registry import Feature
from dataflows.indicators.schema import MARKET_SCHEMA, FeatureSchema
from sluice.errors import InputError, NotFoundError

FULL_NAME, FULL_VERSION = "full", 1
#: Lengths of the bars that `full` has indicators on.
FULL_BARS = ("1s", "1m", "5m")


def families(bars_ns: Sequence[int]) -> dict[str, tuple[Feature, ...]]:
    """Return the features of the full set by family, in the order of its columns, for bars of these lengths."""
    return {
        "Light": LIGHT,
        **{f"Technical, bars of {name}": technical.features(f"_{name}") for name in map(length_name, bars_ns)},
        "Microstructure": microstructure.FEATURES,
        "Statistical": statistical.FEATURES,
        "Session": session.FEATURES,
        "Cross-asset": cross_asset.FEATURES,
    }


@cache
def full_schema(bars_ns: tuple[int, ...]) -> FeatureSchema:
    """Return the full set with bars of these lengths, the shortest first.

    Raises `InputError` where a length is no whole number of seconds.
    """
    names = tuple(map(length_name, bars_ns))
    name = FULL_NAME if names == FULL_BARS else "_".join((FULL_NAME, *names))
    entries = [entry for family in families(bars_ns).values() for entry in family]
    return FeatureSchema.of(name, FULL_VERSION, entries)


#: The whole set at the usual lengths of bars.
FULL_SCHEMA_BARS = parse_lengths(FULL_BARS)
FULL_SCHEMA = full_schema(FULL_SCHEMA_BARS)


def schema_named(name: str) -> FeatureSchema:
    """Return a schema by its name. Raises `NotFoundError` with the nearest name."""
    if name == MARKET_SCHEMA.name:
        return MARKET_SCHEMA
    if name == FULL_NAME:
        return FULL_SCHEMA
    if name.partition("_")[0] == FULL_NAME:
        return full_schema(_bars_named(name))
    known = (MARKET_SCHEMA.name, FULL_NAME)
    nearest = difflib.get_close_matches(name, known, 1, cutoff=0.5)
    meant = f"did you mean {nearest[0]}?" if nearest else "name one of these"
    raise NotFoundError(f"feature set must be one of {', '.join(known)}, was {name!r}", fix=meant)


def bars_of(schema: FeatureSchema) -> tuple[int, ...]:
    """Return the lengths of the bars of a full set. Raises `NotFoundError` where it is none."""
    return FULL_SCHEMA_BARS if schema.name == FULL_NAME else _bars_named(schema.name)


def _bars_named(name: str) -> tuple[int, ...]:
    try:
        return parse_lengths(name.removeprefix(f"{FULL_NAME}_").split("_"))
    except InputError as error:
        raise NotFoundError(f"feature set must exist, was {name!r}: {error.message}", fix=error.fix) from error


def schema_of(schema_hash: str) -> FeatureSchema:
    """Return the schema of a hash: `market` or `full`. Raises `NotFoundError` where it is of neither."""
    for schema in (MARKET_SCHEMA, FULL_SCHEMA):
        if schema.hash == schema_hash:
            return schema
    known = ", ".join(f"{schema.name} {schema.hash[:12]}" for schema in (MARKET_SCHEMA, FULL_SCHEMA))
    raise NotFoundError(f"schema hash must be one of {known}, was {schema_hash[:12] or '(empty)'}",
                        fix="make the rows again with this version of sluice")

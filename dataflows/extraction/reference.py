"""The page of the features, made of the registry: the sets with their hashes, and a table for each family."""

import math
from collections.abc import Iterator, Sequence
from typing import Final

from dataflows.indicators.bar_lengths import parse_lengths
from dataflows.indicators.registry import Feature
from dataflows.indicators.schema import MARKET_SCHEMA
from dataflows.indicators.schemas import FULL_BARS, FULL_SCHEMA, families
from sluice.cli.reference.tables import table

_INTRODUCTION: Final = """\
# Features

What stands in a feature row, column by column. How rows are made and read is in [features.md](../features.md).

A value is not valid, and null in a file, until its warm-up is over, while the book is not in step with the exchange,
and wherever the stream does not say what it is made of. `bps` are basis points. Base units are those of a linear
contract; for an inverse one, read contracts. Time is the receive time of the events. Where it says bars, they are of
the family's length.
"""
_SETS: Final = """\
## Sets

A row names its set by the hash over name, version and columns. With bars of other lengths the full set has another name
and hash (`full_1s_15m`), and its technical columns end with those lengths.
"""


def features_page() -> str:
    """Return the page in Markdown. Families on bars are shown once, with `LENGTH` for the length of the bars."""
    parts = [_INTRODUCTION, _SETS, *table(("set", "version", "columns", "hash"), _sets())]
    shown = set[str]()
    for title, entries in families(parse_lengths(FULL_BARS)).items():
        family, _, length = title.partition(", bars of ")
        if family not in shown:
            shown.add(family)
            parts += _family(family, entries, f"_{length}" if length else "")
    return "\n".join(parts)


def _sets() -> Iterator[tuple[str, ...]]:
    for schema in (MARKET_SCHEMA, FULL_SCHEMA):
        yield f"`{schema.name}`", str(schema.version), str(len(schema.features)), f"`{schema.hash}`"


def _family(title: str, entries: Sequence[Feature], suffix: str) -> Iterator[str]:
    yield f"## {title}\n"
    if suffix:
        yield f"Once for each length of bar: {', '.join(FULL_BARS)}.\n"
    titles = ("name", "what it is", "source", "made of", "warm after", "unit", "range")
    yield from table(titles, (_row(entry, suffix) for entry in entries))


def _row(entry: Feature, suffix: str) -> tuple[str, ...]:
    name = f"{entry.name.removesuffix(suffix)}_LENGTH" if suffix else entry.name
    inputs = entry.inputs.replace(f"bars of {suffix[1:]}", "bars") if suffix else entry.inputs
    return f"`{name}`", entry.definition, entry.source, inputs, _warm(entry), entry.unit, _range(entry)


def _warm(entry: Feature) -> str:
    count, what = entry.warm_up.count, entry.warm_up.clock.value
    return f"{count:,} {what.removesuffix('s') if count == 1 else what}" if count else "at once"


def _range(entry: Feature) -> str:
    low, high = math.isfinite(entry.low), math.isfinite(entry.high)
    if low and high:
        return f"{entry.low:g} to {entry.high:g}"
    return f"from {entry.low:g}" if low else f"to {entry.high:g}" if high else "any"

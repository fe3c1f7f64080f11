import dataclasses

import pytest

from dataflows.indicators.schema import MARKET_SCHEMA, FeatureSchema


def test_the_hash_tells_name_version_order_and_names_apart() -> None:
    schema = FeatureSchema("market", 1, ("a", "b"))
    others = [
        FeatureSchema("other", 1, ("a", "b")),
        FeatureSchema("market", 2, ("a", "b")),
        FeatureSchema("market", 1, ("b", "a")),
        FeatureSchema("market", 1, ("a", "b", "c")),
        FeatureSchema("market", 1, ("a", "c")),
    ]
    assert len({each.hash for each in (schema, *others)}) == 6
    assert schema.hash == dataclasses.replace(schema).hash


def test_the_published_schema_has_not_changed_without_a_new_version() -> None:
    """Models are bound to this hash: a change needs a new version, and then a new line here."""
    published = {1: "9b1d5e9197246c2dc9dca2aa5b787d6850f3e8db7fcbd4c14f709f65b9231a08"}
    assert MARKET_SCHEMA.hash == published[MARKET_SCHEMA.version]


def test_features_are_named_once_and_found_by_name() -> None:
    assert len(set(MARKET_SCHEMA.features)) == len(MARKET_SCHEMA.features)
    for column, feature in enumerate(MARKET_SCHEMA.features):
        assert MARKET_SCHEMA.index(feature) == column
    with pytest.raises(ValueError, match="not in tuple"):
        MARKET_SCHEMA.index("moon_phase")

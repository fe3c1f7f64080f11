"""The sets of features and how they are found."""

import math

import pytest

from dataflows.indicators.bar_lengths import parse_lengths
from dataflows.indicators.schema import MARKET_SCHEMA, FeatureSchema
from dataflows.indicators.schemas import FULL_SCHEMA, bars_of, families, full_schema, schema_named, schema_of
from sluice.errors import NotFoundError

OTHER_BARS = full_schema(parse_lengths(("1s", "15m")))
SCHEMAS = pytest.mark.parametrize("schema", [MARKET_SCHEMA, FULL_SCHEMA, OTHER_BARS], ids=lambda schema: schema.name)


@SCHEMAS
def test_each_column_has_one_name_and_one_entry(schema: FeatureSchema) -> None:
    assert len(set(schema.features)) == len(schema.features)
    assert tuple(entry.name for entry in schema.entries) == schema.features


@SCHEMAS
def test_each_entry_says_all_that_a_reader_must_know(schema: FeatureSchema) -> None:
    for entry in schema.entries:
        assert entry.definition, entry
        assert entry.source, entry
        assert entry.inputs, entry
        assert entry.unit, entry
        assert entry.warm_up.count >= 0, entry
        assert entry.low < entry.high, entry
        assert not math.isnan(entry.low + 0.0), entry


def test_the_full_set_begins_with_the_light_one() -> None:
    width = len(MARKET_SCHEMA.features)
    assert FULL_SCHEMA.features[:width] == MARKET_SCHEMA.features
    assert FULL_SCHEMA.hash != MARKET_SCHEMA.hash


@SCHEMAS
def test_a_name_leads_to_its_schema(schema: FeatureSchema) -> None:
    assert schema_named(schema.name) == schema


def test_other_bars_are_another_schema_with_its_own_name() -> None:
    assert OTHER_BARS.name == "full_1s_15m"
    assert OTHER_BARS.hash != FULL_SCHEMA.hash
    assert schema_named("full_1s_1m_5m") == FULL_SCHEMA


def test_a_full_set_knows_the_lengths_of_its_bars() -> None:
    assert bars_of(FULL_SCHEMA) == parse_lengths(("1s", "1m", "5m"))
    assert bars_of(OTHER_BARS) == parse_lengths(("1s", "15m"))
    with pytest.raises(NotFoundError, match="was 'market'"):
        bars_of(MARKET_SCHEMA)


def test_a_hash_leads_to_its_schema() -> None:
    assert schema_of(MARKET_SCHEMA.hash) is MARKET_SCHEMA
    assert schema_of(FULL_SCHEMA.hash) is FULL_SCHEMA
    with pytest.raises(NotFoundError, match="must be one of market 9b1d5e919724, full"):
        schema_of("f00")


@pytest.mark.parametrize(("name", "fix"), [
    ("fulll", "did you mean full?"), ("markt", "did you mean market?"), ("moon", "name one of these"),
    ("full_7x", "write for example 1s, 5m or 1h"), ("full_", "write for example 1s, 5m or 1h")])
def test_a_wrong_name_is_answered_with_the_nearest(name: str, fix: str) -> None:
    with pytest.raises(NotFoundError, match="feature set must") as caught:
        schema_named(name)
    assert caught.value.fix == fix


def test_families_come_in_the_order_of_the_columns() -> None:
    listed = [entry.name for family in families(parse_lengths(("1s", "1m", "5m"))).values() for entry in family]
    assert tuple(listed) == FULL_SCHEMA.features

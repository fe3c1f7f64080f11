"""The hot view of a row: only what is valid, and how the book has fared."""

import json

import pytest

from dataflows.indicators.schema import MARKET_SCHEMA, FeatureSchema
from dataflows.indicators.schemas import FULL_SCHEMA
from dataflows.market_actors import market_actor
from dataflows.sinks.hot_view import hot_view
from dataflows.tapes.frames import Frame
from sluice.instruments import InstrumentCatalog
from tests.dataflows.codecs import wire

BTC = InstrumentCatalog.shipped().require("BINANCE_USDM:BTCUSDT")


@pytest.mark.parametrize("schema", [MARKET_SCHEMA, FULL_SCHEMA], ids=lambda schema: schema.name)
def test_a_book_that_was_lost_says_why_and_no_feature_is_known(schema: FeatureSchema) -> None:
    actor = market_actor(BTC, schema)
    frames = (
        wire.snapshot(10, [("100.0", "3")], [("100.2", "1")]), wire.depth(9, 11, 8), wire.depth(20, 21, 19),
        wire.mark_price("100.1"))
    for number, payload in enumerate(frames, start=1):
        actor.on_frame(Frame(number, number, payload))

    view = json.loads(hot_view(actor.on_tick(wire.SECOND), schema))

    assert view["synced"] is False
    assert view["features"] == {}
    assert (view["best_bid"], view["mark_price"]) == (None, 100.1)
    assert view["book"] == {
        "snapshots": 1, "joins": 1, "lost_to_gap": 1, "lost_to_crossing": 0, "lost_to_horizon": 0,
        "stale_cause": "gap", "stale_since_ns": 3}


def test_a_row_of_the_full_set_is_shown_by_the_names_of_its_columns() -> None:
    actor = market_actor(BTC, FULL_SCHEMA)
    frames = (wire.snapshot(10, [("100.0", "3")], [("100.2", "1")]), wire.depth(9, 11, 8))
    for number, payload in enumerate(frames, start=1):
        actor.on_frame(Frame(number, number, payload))

    view = json.loads(hot_view(actor.on_tick(wire.SECOND), FULL_SCHEMA))

    assert view["features"]["imbalance_1"] == view["features"]["imbalance_50"] == 0.5
    assert set(view["features"]) < set(FULL_SCHEMA.features)

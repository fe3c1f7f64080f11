"""The hot view: each instrument's newest features and book top in Redis, for people and dashboards.

It is a view, not a record: a value expires, a value may be skipped, and a Redis that is away costs a warning and
nothing else. Trading never reads it.
"""

import logging
import math

import msgspec
import redis
from bytewax.outputs import DynamicSink, StatelessSinkPartition

from dataflows.actors.market import FeatureRow
from dataflows.indicators.schema import MARKET_SCHEMA, FeatureSchema
from dataflows.steps.market import TickRow
from sluice.stores.redis import connect_sync, key

#: How long an instrument's view is shown after its last row.
EXPIRES_S = 3600

KeyedRow = tuple[str, TickRow]

log = logging.getLogger(__name__)


class HotViewPartition(StatelessSinkPartition[KeyedRow]):
    """Writes the newest row of each instrument of a batch."""

    def __init__(self, url: str, namespace: str, schema: FeatureSchema) -> None:
        self._redis = connect_sync(url)
        self._namespace = namespace
        self._schema = schema

    def write_batch(self, items: list[KeyedRow]) -> None:
        """Replace the view of every instrument in the batch."""
        newest = {instrument: found.row for instrument, found in items}
        try:
            pipeline = self._redis.pipeline(transaction=False)
            for instrument, row in newest.items():
                pipeline.set(key(self._namespace, "hot", instrument), hot_view(row, self._schema), ex=EXPIRES_S)
            pipeline.execute()
        except redis.RedisError as error:
            log.warning("hot view not written: %s", error)


class HotViewSink(DynamicSink[KeyedRow]):
    """The hot view of one namespace; its rows are of one schema."""

    def __init__(self, url: str, namespace: str, schema: FeatureSchema = MARKET_SCHEMA) -> None:
        self._url = url
        self._namespace = namespace
        self._schema = schema

    def build(self, step_id: str, worker_index: int, worker_count: int) -> HotViewPartition:
        """Connect."""
        return HotViewPartition(self._url, self._namespace, self._schema)


def hot_view(row: FeatureRow, schema: FeatureSchema = MARKET_SCHEMA) -> bytes:
    """Return a row as the JSON of the hot view: valid features by name, the top of the book, and how that has fared."""
    named = zip(schema.features, row.values, row.valid, strict=True)
    return msgspec.json.encode({
        "instrument": row.instrument,
        "event_time_ns": row.event_time_ns,
        "synced": row.top.synced,
        "best_bid": _known(row.top.best_bid),
        "best_ask": _known(row.top.best_ask),
        "mark_price": _known(row.top.mark_price),
        "book": row.health,
        "features": {name: value for name, value, valid in named if valid},
    })


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value

"""Which market actor makes the rows of which schema, and which schema the configuration asks for.

What only the full set needs is imported where that is asked for: a process with the light set does not pay for it.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from dataflows.actors.market import MarketActor
from dataflows.indicators.schema import MARKET_SCHEMA, FeatureSchema
from sluice.config.features import FeatureSettings
from sluice.instruments import Instrument

if TYPE_CHECKING:
    from dataflows.cross_assets import CrossAssets


def schema_of_settings(settings: FeatureSettings) -> FeatureSchema:
    """Return the schema that settings ask for. Raises `InputError` where two lengths of bars are the same."""
    if settings.set == "light":
        return MARKET_SCHEMA
    from dataflows.indicators.bar_lengths import parse_lengths  # noqa: PLC0415  # see the module's first lines
    from dataflows.indicators.schemas import full_schema  # noqa: PLC0415

    return full_schema(parse_lengths(settings.bars))


def market_actor(instrument: Instrument, schema: FeatureSchema, snapshot: bytes | None = None) -> MarketActor:
    """Return the actor that makes rows of a schema, from its beginning or from a snapshot of such an actor.

    Raises `InputError` where the snapshot cannot be read, `NotFoundError` where there is no such set.
    """
    if schema == MARKET_SCHEMA:
        return MarketActor(instrument, snapshot)
    from dataflows.actors.extended import FullMarketActor  # noqa: PLC0415  # see the module's first lines
    from dataflows.indicators.schemas import bars_of  # noqa: PLC0415

    return FullMarketActor(instrument, snapshot, bars_ns=bars_of(schema))


def warm(schema: FeatureSchema) -> None:
    """Compile every kernel that rows of a schema need, or take it from the cache."""
    if schema == MARKET_SCHEMA:
        MarketActor.warm()
        return
    from dataflows.actors.extended import FullMarketActor  # noqa: PLC0415  # see the module's first lines

    FullMarketActor.warm()


def cross_assets_of(
    schema: FeatureSchema, reference: str, interval_ns: int, snapshot: Mapping[str, bytes] | None = None,
    last_ns: int = 0,
) -> "CrossAssets | None":
    """Return what fills the cross-asset columns of a schema, None where it has none; see `CrossAssets`."""
    if schema == MARKET_SCHEMA:
        return None
    from dataflows.cross_assets import CrossAssets  # noqa: PLC0415  # see the module's first lines

    return CrossAssets(schema, reference, interval_ns, snapshot, last_ns)

"""What the flow of features needs around it: a market, instruments, a schema and a folder. No service, no store."""

from dataclasses import dataclass
from pathlib import Path

from dataflows.belonging import claim
from dataflows.embedded import market_source, with_tape
from dataflows.indicators.schema import FeatureSchema
from dataflows.market_actors import schema_of_settings
from dataflows.sources.exchange.source import ExchangeSource
from dataflows.sources.tape import TapeSource
from dataflows.steps.stopping import stop_on_signal
from dataflows.traded import traded
from sluice.clock import NS_PER_MS
from sluice.config import Settings
from sluice.instruments import InstrumentCatalog


@dataclass(frozen=True)
class FeatureRun:
    """One run: everything that `features_flow` composes."""

    settings: Settings
    catalog: InstrumentCatalog
    schema: FeatureSchema
    source: TapeSource | ExchangeSource

    @classmethod
    def prepare(cls, settings: Settings) -> "FeatureRun":
        """Find or make the market, and let SIGTERM and Ctrl-C end it in order.

        Raises `NotFoundError` or `InputError` where the market cannot be read, or the folder's run was begun with other
        tapes, instruments or features.
        """
        settings = with_tape(settings)
        catalog, schema = traded(settings), schema_of_settings(settings.features)
        claim(settings, [instrument.key for instrument in catalog], flow="features")
        source = market_source(settings, catalog)
        stop_on_signal(source)
        return cls(settings, catalog, schema, source)

    @property
    def folder(self) -> Path:
        """Return the folder that the flow writes into."""
        return self.settings.run.data_dir / "features"

    @property
    def reference(self) -> str:
        """Return the key of the instrument that cross-asset columns are to."""
        return self.settings.features.reference

    @property
    def interval_ns(self) -> int:
        """Return the time between two ticks."""
        return self.settings.source.tick_interval_ms * NS_PER_MS

    @property
    def part_rows(self) -> int:
        """Return how many rows a part has at most."""
        return self.settings.features.part_rows

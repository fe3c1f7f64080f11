"""The gathering step: the rows of a tick meet under one key, get their cross-asset columns, and are counted.

One key means that ticks are worked one after the other, however the stream was cut. Nothing is decided here.
"""

from collections.abc import Callable
from typing import NamedTuple

from bytewax.operators import StatefulBatchLogic

from dataflows.actors.market_rows import FeatureRow
from dataflows.cross_assets import CrossAssets
from dataflows.indicators.schema import FeatureSchema
from dataflows.statistics import FlowStatistics
from dataflows.steps.counting import TickOutcome, count_tick
from dataflows.steps.market import TickRow
from dataflows.ticks import Tick
from sluice.instruments import InstrumentCatalog


class GatheringState(NamedTuple):
    """What the step remembers, as bytes and numbers only."""

    instruments: tuple[tuple[str, bytes], ...] = ()
    last_ns: int = 0
    statistics: bytes | None = None
    waiting: tuple[TickRow, ...] = ()


class GatheredTick(NamedTuple):
    """The rows of a tick, in the order of the instruments' keys, and the counts up to it."""

    rows: list[FeatureRow]
    outcome: TickOutcome


class GatheringLogic(StatefulBatchLogic[TickRow, GatheredTick, GatheringState]):
    """Waits for the row of every instrument of a tick. `reference`: the key that cross-asset columns are to."""

    def __init__(
        self, catalog: InstrumentCatalog, schema: FeatureSchema, reference: str, interval_ns: int, state: GatheringState
    ) -> None:
        self._keys = tuple(instrument.key for instrument in catalog)
        self._cross_assets = CrossAssets(schema, reference, interval_ns, dict(state.instruments), state.last_ns)
        self._statistics = FlowStatistics(state.statistics)
        self._waiting = {(row.tick.time_ns, row.row.instrument): row for row in state.waiting}

    def on_batch(self, values: list[TickRow]) -> tuple[list[GatheredTick], bool]:
        """Take rows in; hand on every tick whose rows are complete."""
        gathered = []
        for value in values:
            self._waiting[value.tick.time_ns, value.row.instrument] = value
            if (rows := self._complete(value.tick)) is not None:
                gathered.append(self._gather(rows))
        return gathered, False

    def on_eof(self) -> tuple[list[GatheredTick], bool]:
        """Emit nothing: the end of the input may be a stop, after which the stream goes on."""
        return [], False

    def snapshot(self) -> GatheringState:
        """Return everything that a restart needs."""
        return GatheringState(
            tuple(self._cross_assets.snapshot().items()), self._cross_assets.last_ns, self._statistics.snapshot(),
            tuple(self._waiting.values()))

    def _complete(self, tick: Tick) -> list[TickRow] | None:
        places = [(tick.time_ns, key) for key in self._keys]
        if any(place not in self._waiting for place in places):
            return None
        return [self._waiting.pop(place) for place in places]

    def _gather(self, tick_rows: list[TickRow]) -> GatheredTick:
        tick = tick_rows[0].tick
        rows = self._cross_assets.on_tick([found.row for found in tick_rows])
        counted = [found._replace(row=row) for found, row in zip(tick_rows, rows, strict=True)]
        count_tick(self._statistics, counted)
        self._statistics.counts.finished = tick.last
        # The tick that closes a tape is one that a longer tape might not have: it is counted, and has no row.
        return GatheredTick([] if tick.last else rows, TickOutcome(
            tick.time_ns, self._statistics.as_json(), tick.last))


def gathering_logic(
    catalog: InstrumentCatalog, schema: FeatureSchema, reference: str, interval_ns: int
) -> Callable[[GatheringState | None], GatheringLogic]:
    """Return the builder that Bytewax calls with the state to resume from."""
    return lambda state: GatheringLogic(
        catalog, schema, reference, interval_ns, GatheringState(*state) if state else GatheringState())

"""Feature rows of a market, live or from a tape, as Parquet parts: a flow without models, orders or services.

    bytewax run dataflows.features:flow -r .data/feature-recovery -s 1

reads the configuration as every command does (`SLUICE_CONFIG`, `./sluice.toml`, `SLUICE_*`): the market in `[source]`,
the set in `[features]`. With recovery every row stands once in the parts, whatever happened on the way.
"""

import bytewax.operators as op
from bytewax.dataflow import Dataflow

from dataflows.actors.market_rows import FeatureRow
from dataflows.feature_flow import FeatureRun
from dataflows.local import dead_letter, tick_row
from dataflows.sinks.dead_letters import DeadLetterSink
from dataflows.sinks.feature_parts import FeaturePartsSink
from dataflows.sinks.statistics import StatisticsSink
from dataflows.steps.gathering import GatheredTick, gathering_logic
from dataflows.steps.market import market_logic
from sluice.config import load_settings

#: The one key under which the rows of a tick meet.
ALL = "all"


def features_flow(run: FeatureRun) -> Dataflow:
    """Compose source, market actors and sinks. The step names are part of the recovery state: keep them."""
    flow = Dataflow("features")
    frames = op.input("source", flow, run.source)
    market = op.stateful_batch("market", frames, market_logic(run.catalog, run.schema))
    dead_letters = op.filter_map("dead_letters", market, dead_letter)
    op.output("dead_letter_file", dead_letters, DeadLetterSink(run.folder / "dead_letters.jsonl"))
    rows = op.map("all", op.filter_map("rows", market, tick_row), lambda item: (ALL, item[1]))
    gathering = gathering_logic(run.catalog, run.schema, run.reference, run.interval_ns)
    ticks = op.stateful_batch("gathering", rows, gathering)
    outcomes = op.map("outcomes", ticks, lambda item: (ALL, item[1].outcome))
    op.output("statistics", outcomes, StatisticsSink(run.folder / "statistics.json"))
    gathered = op.flat_map("gathered", ticks, rows_of)
    op.output("parts", gathered, FeaturePartsSink(run.folder, run.schema, run.part_rows))
    return flow


def rows_of(item: tuple[str, GatheredTick]) -> list[tuple[str, FeatureRow]]:
    """Return the rows of a tick, each under the one key."""
    return [(ALL, row) for row in item[1].rows]


def __getattr__(name: str) -> Dataflow:
    """Build `flow` when it is asked for, so that importing this module starts nothing."""
    if name == "flow":
        return features_flow(FeatureRun.prepare(load_settings()))
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

"""The whole way in one Bytewax process: a market in, signed orders out, over the same services as everywhere.

    bytewax run dataflows.local:flow -r .data/recovery -s 1

reads the configuration as every command does (`SLUICE_CONFIG`, `./sluice.toml`, `SLUICE_*`), makes a synthetic tape
where no market is configured, and starts the services where none answers.
"""

import bytewax.operators as op
from bytewax.dataflow import Dataflow

from dataflows.deadletters import DeadLetter
from dataflows.embedded import LocalRun
from dataflows.sinks.dead_letters import DeadLetterSink
from dataflows.sinks.hot_view import HotViewSink
from dataflows.sinks.statistics import StatisticsSink
from dataflows.steps.market import TickRow, market_logic
from dataflows.steps.trading import trading_logic
from sluice.config import load_settings


def local_flow(run: LocalRun) -> Dataflow:
    """Compose source, market actors, trading and sinks. The step names are part of the recovery state: keep them."""
    flow = Dataflow("local")
    frames = op.input("tape", flow, run.source)
    market = op.stateful_batch("market", frames, market_logic(run.catalog, run.schema))
    dead_letters = op.filter_map("dead_letters", market, dead_letter)
    op.output("dead_letter_file", dead_letters, DeadLetterSink(run.folder / "dead_letters.jsonl"))
    rows = op.filter_map("rows", market, tick_row)
    op.output("hot_view", rows, HotViewSink(run.redis_url, run.namespace, run.schema))
    account = op.map("account", rows, lambda item: (run.account, item[1]))
    outcomes = op.stateful_batch("trading", account, trading_logic(run.desk, run.catalog, run.settings))
    op.output("statistics", outcomes, StatisticsSink(run.folder / "statistics.json"))
    return flow


def dead_letter(item: tuple[str, TickRow | DeadLetter]) -> tuple[str, DeadLetter] | None:
    """Keep the dead letters of the market step."""
    key, value = item
    return (key, value) if isinstance(value, DeadLetter) else None


def tick_row(item: tuple[str, TickRow | DeadLetter]) -> tuple[str, TickRow] | None:
    """Keep the rows of the market step."""
    key, value = item
    return (key, value) if isinstance(value, TickRow) else None


def __getattr__(name: str) -> Dataflow:
    """Build `flow` when it is asked for, so that importing this module starts nothing."""
    if name == "flow":
        return local_flow(LocalRun.prepare(load_settings()))
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

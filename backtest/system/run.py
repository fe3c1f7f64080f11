"""Running the whole system on a tape in one process, and putting together what came of it.

The settings are those of a demo, down to the namespace that ids are made of: the digest of a run is that of a demo on
the same tape with the same settings.
"""

import asyncio
import itertools
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import msgspec

from backtest.demo.world import demo_settings, with_tape
from backtest.matching.entry_points import ENTRIES
from backtest.report.html import write_report
from backtest.report.summary import Summary, summarise, to_json
from backtest.system.desk import InProcessDesk
from backtest.system.flow import Flow
from backtest.system.journal import journal_of
from backtest.system.rooms import Rooms, make_rooms
from backtest.venue import SimulatedVenue
from dataflows.tapes.reader import TapeReader
from dataflows.traded import traded
from inference.registry import Registry, shipped_registry
from inference.runtime import LoadedBundle
from sluice.cli.progress import Advance, progress_bar
from sluice.config import Settings
from sluice.config.loading import catalog_of


@dataclass(frozen=True, slots=True)
class SystemOptions:
    """What to run. Without tapes a synthetic one is made, of `minutes` and `seed`; `report`: where the page goes."""

    tapes: tuple[Path, ...] = ()
    minutes: float = 10.0
    seed: int = 7
    quiet: bool = True
    report: Path | None = None


def run_system(settings: Settings, options: SystemOptions) -> Summary:
    """Run the system on a tape to its end; return its summary, which lies beside the report too.

    Raises `NotFoundError` and `InputError` for tapes and model bundles that cannot be used.
    """
    report = options.report or settings.run.data_dir.absolute() / "backtest" / "report.html"
    settings = with_tape(
        demo_settings(settings, options.tapes), minutes=options.minutes, seed=options.seed, quiet=options.quiet)
    started = time.monotonic()
    if not (ENTRIES.cached or options.quiet):
        click.echo("compiling kernels, which takes half a minute the first time", err=True)
    with progress_bar("playing the tape", quiet=options.quiet) as advance:
        rooms, statistics = play(settings, advance)
    summary = summarise(
        journal_of(rooms), catalog_of(settings), settings, statistics, time.monotonic() - started)
    summary = write_report(summary, settings, report)
    report.with_suffix(".json").write_text(to_json(summary))
    return summary


def speed(summary: Summary) -> str:
    """Say how much of the market was played in what time."""
    equity = summary.journal.equity
    played_s = (equity[-1].event_time_ns - equity[0].event_time_ns) / 1e9 if equity else 0.0
    return f"{played_s:,.0f} s of the market, {played_s / max(summary.wall_s, 1e-9):,.0f} times as fast as real time"


def play(settings: Settings, advance: Advance) -> tuple[Rooms, Mapping[str, Any]]:
    """Play the configured tapes to their end; return risk and execution as they stand then, and the flow's counts."""
    catalog = traded(settings)
    reader = _reader(settings, advance)
    # The venue reads the same lines as the flow, a latency ahead of it or a batch behind.
    ours, venues = itertools.tee(reader)
    venue = SimulatedVenue.playing(settings, catalog_of(settings), venues)
    rooms, bundle = make_rooms(settings, venue), load_bundle(settings)
    with asyncio.Runner() as runner:
        runner.run(rooms.open())
        desk = InProcessDesk(runner.get_loop(), rooms, bundle, catalog, settings.strategy.name)
        outcome = None
        for outcomes in Flow(settings, catalog, desk).play(ours):
            outcome = outcomes[-1] if outcomes else outcome
    return rooms, msgspec.json.decode(outcome.statistics) if outcome else {}


def _reader(settings: Settings, advance: Advance) -> TapeReader:
    """Return a reader of the tapes that shows how many of their bytes it has read."""
    read = 0

    def on_read(size: int) -> None:
        nonlocal read
        read += size
        advance(read / whole)

    reader = TapeReader(settings.source.tapes, on_read=on_read)
    whole = max(sum(path.stat().st_size for path in reader.tapes), 1)
    return reader


def load_bundle(settings: Settings) -> LoadedBundle:
    """Return the configured models, warm. Raises `NotFoundError` or `InputError` where there are none that work."""
    registry = Registry(settings.inference.bundles or shipped_registry())
    return LoadedBundle(registry.read(registry.active_version()), settings.inference.threads)

"""Running a demo: services up, the flow through them, everything down, and the summary of what the journal holds.

Any of the processes may be killed while it runs: the supervisor starts it again and the run goes on to the same result.
Nothing is computed here; the figures are the flow's statistics and the stores' contents.
"""

import json
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from backtest.demo.exchange import EXCHANGE, exchange_spec, with_exchange, with_left_out
from backtest.demo.world import (
    alone,
    choosing_addresses,
    clear,
    count_lines,
    demo_settings,
    with_free_addresses,
    with_tape,
)
from backtest.report.html import write_report
from backtest.report.summary import Summary, build_summary, to_json
from dataflows.embedded import READY_TIMEOUT_S, SERVICES, service_spec, with_stores
from dataflows.statistics import read_statistics
from dataflows.traded import traded
from sluice.cli.progress import Advance, progress_bar
from sluice.config import Settings
from sluice.config.writing import write_settings
from sluice.errors import NotFoundError, NotRunningError, SluiceError
from sluice.files import replace_file
from sluice.instruments import InstrumentCatalog
from sluice.processes import own_process
from sluice.rpc import deployment
from sluice.stores.embedded import stores
from sluice.supervisor import ProcessEvent, Supervisor, What

FLOW = "flow"
POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """What the command line asked for. Without tapes a synthetic one is made.

    `in_process`: the venue is part of execution and the flow reads the tape itself, in place of an exchange's sockets.
    """

    tapes: tuple[Path, ...]
    minutes: float
    seed: int
    quiet: bool
    in_process: bool = False


def run_demo(settings: Settings, options: DemoOptions) -> Summary:
    """Run a demo to its end and return its summary; the report lies beside the data."""
    started = time.monotonic()
    settings = demo_settings(settings, options.tapes)
    with alone(settings.run.data_dir):
        settings = with_tape(settings, minutes=options.minutes, seed=options.seed, quiet=options.quiet)
        instruments = traded(settings)
        _say("starting PostgreSQL and Redis", options)
        with stores(settings) as urls:
            clear(settings, urls)
            settings = with_stores(settings, urls)
            statistics = _replay(settings, options, instruments)
            wall_s = time.monotonic() - started
            summary = build_summary(settings, statistics, wall_s)
            summary = write_report(summary, settings, settings.run.data_dir / "report.html")
            (settings.run.data_dir / "summary.json").write_text(to_json(summary))
            return summary


def _say(text: str, options: DemoOptions) -> None:
    if not options.quiet:
        click.echo(text, err=True)


def _replay(settings: Settings, options: DemoOptions, instruments: InstrumentCatalog) -> Mapping[str, Any]:
    lines = count_lines(settings.source.tapes)
    with deployment(), Supervisor() as supervisor:
        _say("starting inference, execution and risk" + ("" if options.in_process else ", and the exchange"), options)
        settings = _with_services(settings, supervisor, None if options.in_process else instruments)
        supervisor.start(own_process(settings, FLOW, "run", config=_config(settings)))
        with progress_bar(f"replaying {lines:,} lines", quiet=options.quiet) as advance:
            found = _until_finished(settings, supervisor, lines, advance)
        return found if options.in_process else with_left_out(found, settings)


def _with_services(settings: Settings, supervisor: Supervisor, listed: InstrumentCatalog | None) -> Settings:
    """Start everything on free addresses, wait until it serves, and return the settings that say where.

    `listed`: what an exchange lists, where there is to be one.
    """
    with choosing_addresses():
        settings = with_free_addresses(settings)
        if listed is not None:
            settings = with_exchange(settings, listed)
        write_settings(settings, _config(settings))
        specs = [service_spec(settings, name, _config(settings)) for name in SERVICES]
        if listed is not None:
            specs.insert(0, exchange_spec(settings, _config(settings)))
        for spec in specs:
            supervisor.start(spec)
        for spec in specs:
            supervisor.wait_ready(spec.name, READY_TIMEOUT_S)
    return settings


def _config(settings: Settings) -> Path:
    return settings.run.data_dir / "run" / "sluice.toml"


def _until_finished(settings: Settings, supervisor: Supervisor, lines: int, advance: Advance) -> Mapping[str, Any]:
    path = settings.run.data_dir / "flow" / "statistics.json"
    processes = settings.run.data_dir / "run" / "processes.json"
    while supervisor.exit_code(FLOW) is None:
        _raise_where_given_up(supervisor.poll(), settings)
        _tell_processes(supervisor, processes)
        found = read_statistics(path)
        advance(found.get("frames", 0) / max(lines, 1), _note(found))
        time.sleep(POLL_S)
    _raise_where_given_up(supervisor.poll(), settings)
    found = read_statistics(path)
    if not found.get("finished"):
        supervisor.start(own_process(settings, FLOW, "run", config=_config(settings)))
        return _until_finished(settings, supervisor, lines, advance)
    advance(1.0, _note(found))
    return found


def _note(found: Mapping[str, Any]) -> str:
    return f"{found.get('intents', 0)} intents"


def _raise_where_given_up(events: Sequence[ProcessEvent], settings: Settings) -> None:
    for event in events:
        if event.what is What.GAVE_UP:
            log = settings.run.data_dir / "logs" / f"{event.name}.log"
            raise SluiceError(
                f"{event.name} must go on, and ended with {event.exit_code}: {event.log_tail}", fix=f"read {log}")


def _tell_processes(supervisor: Supervisor, path: Path) -> None:
    """Write which process is which, for whoever wants to look at one or kill it."""
    running: dict[str, int] = {}
    for name in (EXCHANGE, *SERVICES, FLOW):
        with suppress(NotRunningError, NotFoundError):
            running[name] = supervisor.pid(name)
    text = json.dumps(running)
    if not path.exists() or path.read_text() != text:
        replace_file(path, text.encode())

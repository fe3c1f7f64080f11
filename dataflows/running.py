"""Running the local flow under Bytewax with recovery: what `sluice run` does."""

import logging as python_logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from bytewax.recovery import RecoveryConfig, init_db_dir
from bytewax.run import cli_main

from dataflows.belonging import claim
from dataflows.embedded import LocalRun, with_tape
from dataflows.local import local_flow
from dataflows.statistics import read_statistics
from dataflows.traded import traded
from sluice.config import Settings
from sluice.telemetry import logging, metrics

_LOG = python_logging.getLogger(__name__)


def run_flow(settings: Settings, snapshot_every: timedelta, *, fresh: bool) -> str:
    """Run to the end of the market or until a stop is asked for; the next run goes on from there.

    Returns what happened, in a sentence or two.
    """
    logging.configure(settings.telemetry.log_level)
    metrics.serve(settings, "run")
    recovery = settings.run.data_dir / "recovery"
    if fresh:
        shutil.rmtree(recovery, ignore_errors=True)
    settings = with_tape(settings)
    claim(settings, [instrument.key for instrument in traded(settings)])
    run = LocalRun.prepare(settings)
    try:
        with live_orders(run):
            cli_main(local_flow(run), epoch_interval=snapshot_every, recovery_config=recovery_in(recovery))
    finally:
        run.close()
    return outcome(run.folder / "statistics.json")


@contextmanager
def live_orders(run: LocalRun) -> Iterator[None]:
    """Take back what rests at the venue before a live flow begins, and after it was stopped where that is asked for.

    A flow that was killed may have sent orders that its last snapshot does not know: no strategy would ever cancel
    them. One that was stopped in order leaves its orders to the next run, unless `cancel_on_stop` is set.
    """
    if not run.settings.source.live:
        yield
        return
    run.desk().cancel_all("a live flow begins")
    yield
    if run.settings.source.exchange.cancel_on_stop:
        run.desk().cancel_all("the flow was stopped")
        _LOG.info("every open order is being cancelled, as source.exchange.cancel_on_stop asks")
    else:
        _LOG.info("open orders stay at the venue, as source.exchange.cancel_on_stop is not set")


def outcome(path: Path) -> str:
    """Return what a run's statistics say, for a person."""
    found = read_statistics(path)
    counted = f"{found.get('frames', 0):,} lines, {found.get('ticks', 0):,} ticks, {found.get('intents', 0):,} intents"
    if found.get("finished"):
        return f"The tape is at its end: {counted}. The figures are in {path}."
    return f"Stopped after {counted}. The same command goes on from there."


def recovery_in(folder: Path) -> RecoveryConfig:
    """Return the recovery of a folder, which is made where it is missing. One partition: one worker."""
    if not any(folder.glob("part-*.sqlite3")):
        folder.mkdir(parents=True, exist_ok=True)
        init_db_dir(folder, 1)
    return RecoveryConfig(folder, timedelta(0))

"""Running the local flow under Bytewax with recovery: what `sluice run` does."""

import shutil
from datetime import timedelta
from pathlib import Path

from bytewax.recovery import RecoveryConfig, init_db_dir
from bytewax.run import cli_main

from dataflows.belonging import claim
from dataflows.embedded import LocalRun, traded, with_tape
from dataflows.local import local_flow
from dataflows.statistics import read_statistics
from sluice.config import Settings
from sluice.telemetry import logging, metrics


def run_flow(settings: Settings, snapshot_every: timedelta, *, fresh: bool) -> str:
    """Run to the end of the tape or until a stop is asked for; the next run goes on from there.

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
        cli_main(local_flow(run), epoch_interval=snapshot_every, recovery_config=recovery_in(recovery))
    finally:
        run.close()
    return outcome(run.folder / "statistics.json")


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

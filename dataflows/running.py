"""Running the local flow under Bytewax with recovery: what `sluice run` does."""

import shutil
from datetime import timedelta
from pathlib import Path

from bytewax.recovery import RecoveryConfig, init_db_dir
from bytewax.run import cli_main

from dataflows.embedded import LocalRun
from dataflows.local import local_flow
from sluice.config import Settings
from sluice.telemetry import logging, metrics


def run_flow(settings: Settings, snapshot_every: timedelta, *, fresh: bool) -> None:
    """Run to the end of the tape or until a stop is asked for; the next run goes on from there."""
    logging.configure(settings.telemetry.log_level)
    metrics.serve(settings, "run")
    recovery = settings.run.data_dir / "recovery"
    if fresh:
        shutil.rmtree(recovery, ignore_errors=True)
    run = LocalRun.prepare(settings)
    try:
        cli_main(local_flow(run), epoch_interval=snapshot_every, recovery_config=recovery_in(recovery))
    finally:
        run.close()


def recovery_in(folder: Path) -> RecoveryConfig:
    """Return the recovery of a folder, which is made where it is missing. One partition: one worker."""
    if not any(folder.glob("part-*.sqlite3")):
        folder.mkdir(parents=True, exist_ok=True)
        init_db_dir(folder, 1)
    return RecoveryConfig(folder, timedelta(0))

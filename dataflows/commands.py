"""The command `sluice run`: the local flow with recovery, under the configuration."""

from datetime import timedelta
from pathlib import Path

import click

from sluice.cli.options import config_option
from sluice.config import Settings


@click.command()
@config_option
@click.option("--tape", "tapes", multiple=True, type=click.Path(path_type=Path),
              help="Tape file or folder; may be given several times.")
@click.option("--snapshot-every", default=1.0, show_default=True, type=click.FloatRange(0.0), help="Seconds.")
@click.option("--fresh", is_flag=True, help="Forget the recovery state of an earlier run first.")
def run(settings: Settings, tapes: tuple[Path, ...], snapshot_every: float, fresh: bool) -> None:
    """Run the whole way in one Bytewax process: source, features, models, risk, execution.

    Starts the services where none answers. A stopped run goes on where it stood; --fresh starts over.
    """
    from dataflows.running import run_flow  # noqa: PLC0415  # a command's imports wait until it runs

    if tapes:
        source = settings.source.model_copy(update={"tapes": tapes, "kind": "tape"})
        settings = settings.model_copy(update={"source": source})
    click.echo(run_flow(settings, timedelta(seconds=snapshot_every), fresh=fresh))

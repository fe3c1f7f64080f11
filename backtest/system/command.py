"""The command `sluice backtest`."""

from pathlib import Path

import click

from backtest.tape_options import tape_options
from sluice.cli.options import config_option, json_option
from sluice.config import Settings


@click.command()
@config_option
@json_option
@tape_options
@click.option("--report", type=click.Path(path_type=Path, dir_okay=False), metavar="PATH",
              help="Where the HTML report goes.  [default: backtest/report.html in the data folder]")
def backtest(settings: Settings, as_json: bool, tapes: tuple[Path, ...], minutes: float, seed: int,
             report: Path | None) -> None:
    """Play a tape through the whole system in this process, and report what came of it.

    The same actors, models, risk, execution and exchange as everywhere, without services, stores and sockets: the
    decisions, orders and fills are those of `sluice demo` on the same tape, many times as fast. Without --tape a
    synthetic market is made first. A strategy of your own is played by `backtest.replay`, a Python interface.
    """
    from backtest.report.summary import render, to_json  # noqa: PLC0415  # a command's imports wait until it runs
    from backtest.system.run import SystemOptions, run_system, speed  # noqa: PLC0415

    summary = run_system(settings, SystemOptions(
        tapes or settings.source.tapes, minutes, seed, quiet=as_json, report=report))
    click.echo(to_json(summary) if as_json else f"{render(summary)}\nspeed   {speed(summary)}")

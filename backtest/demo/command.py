"""The command `sluice demo`."""

from pathlib import Path

import click

from backtest.tape_options import tape_options
from sluice.cli.options import config_option, json_option
from sluice.config import Settings


@click.command()
@config_option
@json_option
@tape_options
@click.option("--in-process", is_flag=True, help="Match orders inside execution, without an exchange's sockets.")
def demo(settings: Settings, as_json: bool, tapes: tuple[Path, ...], minutes: float, seed: int,
         in_process: bool) -> None:
    """Replay a tape through inference, risk and execution, and report what came of it.

    The tape is served by a simulated exchange; market and orders go over its sockets. Without --tape a synthetic market
    is made first. Nothing leaves this machine.
    """
    from backtest.demo.run import DemoOptions, run_demo  # noqa: PLC0415  # a command's imports wait until it runs
    from backtest.report.summary import render, to_json  # noqa: PLC0415

    summary = run_demo(settings, DemoOptions(
        tapes or settings.source.tapes, minutes, seed, quiet=as_json, in_process=in_process))
    click.echo(to_json(summary) if as_json else render(summary))

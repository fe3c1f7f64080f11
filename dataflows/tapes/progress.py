"""Showing how far a long command is: a bar on a terminal, a line now and then elsewhere. On standard error only."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

Advance = Callable[[float], None]


@contextmanager
def progress_bar(what: str, *, quiet: bool = False) -> Iterator[Advance]:
    """Give a function that is called with the part done, from 0 to 1. Quiet shows nothing."""
    if quiet:
        yield _nothing
    elif sys.stderr.isatty():
        with _bar(what) as advance:
            yield advance
    else:
        yield _quarters(what)


def _nothing(_part: float) -> None:
    """Show nothing."""


@contextmanager
def _bar(what: str) -> Iterator[Advance]:
    # rich takes a tenth of a second to import, which a help page should not cost.
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(what, total=1.0)
        yield lambda part: progress.update(task, completed=part)


def _quarters(what: str) -> Advance:
    shown = 0

    def advance(part: float) -> None:
        nonlocal shown
        if int(part * 4) > shown:
            shown = int(part * 4)
            click.echo(f"{what}: {shown * 25} %", err=True)

    return advance

"""Showing how far a long command is: a bar with the time left on a terminal, else a line now and then.

On standard error only, so that what a command prints stays what it printed.
"""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import click

#: Without a terminal a line is written at every quarter, and at the latest after this time.
LINE_EVERY_S = 15.0


class Advance(Protocol):
    """Says how far a command is."""

    def __call__(self, part: float, note: str = "") -> None:
        """Show the part done, from 0 to 1, and a word about it."""
        ...


@contextmanager
def progress_bar(what: str, *, quiet: bool = False) -> Iterator[Advance]:
    """Give a function that is called with the part done. Quiet shows nothing."""
    if quiet:
        yield _nothing
    elif sys.stderr.isatty():
        with _bar(what) as advance:
            yield advance
    else:
        yield _lines(what)


def _nothing(part: float, note: str = "") -> None:
    """Show nothing."""


@contextmanager
def _bar(what: str) -> Iterator[Advance]:
    # rich takes a tenth of a second to import, which a help page should not cost.
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    columns = (
        TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(what, total=1.0, note="")

        def advance(part: float, note: str = "") -> None:
            progress.update(task, completed=min(part, 1.0), note=note)

        yield advance


def _lines(what: str) -> Advance:
    shown, written_at = 0, time.monotonic()

    def advance(part: float, note: str = "") -> None:
        nonlocal shown, written_at
        quarter = int(part * 4)
        if quarter > shown or time.monotonic() - written_at > LINE_EVERY_S:
            shown, written_at = quarter, time.monotonic()
            click.echo(f"{what}: {part:.0%}{f', {note}' if note else ''}", err=True)

    return advance

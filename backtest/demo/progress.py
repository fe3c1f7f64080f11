"""How the demo shows that it goes on: a bar with a time left on a terminal, else plain lines, or nothing when quiet."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

#: Plain lines come this often.
LINE_EVERY_S = 5.0


class Shown(Protocol):
    """Where a stage's progress goes."""

    def update(self, fraction: float, note: str = "") -> None:
        """Say how much of the stage is done, 0 to 1."""
        ...


class _Bar:
    def __init__(self, progress: Progress, stage: str) -> None:
        self._progress = progress
        self._task = progress.add_task(stage, total=1.0, note="")

    def update(self, fraction: float, note: str = "") -> None:
        self._progress.update(self._task, completed=min(fraction, 1.0), note=note)


class _Lines:
    def __init__(self, stage: str, *, quiet: bool) -> None:
        self._stage, self._quiet, self._last = stage, quiet, time.monotonic()

    def update(self, fraction: float, note: str = "") -> None:
        if self._quiet or time.monotonic() - self._last < LINE_EVERY_S:
            return
        self._last = time.monotonic()
        sys.stderr.write(f"{self._stage}: {fraction:.0%} {note}\n")


def say(text: str, *, quiet: bool) -> None:
    """Write one line about what happens next to the standard error."""
    if not quiet:
        sys.stderr.write(f"{text}\n")


@contextmanager
def stage(name: str, *, quiet: bool) -> Iterator[Shown]:
    """Show a stage's progress for as long as the block lasts."""
    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        say(name, quiet=quiet)
        yield _Lines(name, quiet=quiet)
        return
    columns = (
        TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"))
    with Progress(*columns, console=console) as progress:
        yield _Bar(progress, name)

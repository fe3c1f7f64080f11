"""The options by which a command takes a tape or is given a synthetic one. Reads no tape."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Function = TypeVar("Function", bound=Callable[..., Any])

_OPTIONS = (
    click.option("--tape", "tapes", multiple=True, type=click.Path(path_type=Path),
                 help="Tape file or folder; may be given several times."),
    click.option("--minutes", default=10.0, show_default=True, type=click.FloatRange(0.5, 1440),
                 help="Length of the synthetic tape."),
    click.option("--seed", default=7, show_default=True, type=click.IntRange(0), help="Seed of the synthetic tape."),
)


def tape_options(function: Function) -> Function:
    """Add `--tape PATH...`, `--minutes` and `--seed`, given to the command as `tapes`, `minutes` and `seed`."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function

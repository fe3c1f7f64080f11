"""Options that commands of all rooms share, so that they look and work the same everywhere."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Function = TypeVar("Function", bound=Callable[..., Any])


_CONFIG_HELP = "Configuration file. Default: $SLUICE_CONFIG, else ./sluice.toml, else the built-in defaults."


def config_option(function: Function) -> Function:
    """Add `--config PATH` and give the command the loaded configuration as `settings`."""
    return click.option(
        "--config", "settings", type=click.Path(path_type=Path), metavar="PATH", callback=_load, help=_CONFIG_HELP,
    )(function)


def config_path_option(function: Function) -> Function:
    """Add `--config PATH` for a command that loads the configuration itself, given to it as `path`."""
    return click.option(
        "--config", "path", type=click.Path(path_type=Path), metavar="PATH", help=_CONFIG_HELP)(function)


def json_option(function: Function) -> Function:
    """Add `--json`, given to the command as `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON, errors included.")(function)


def _load(_context: click.Context, _parameter: click.Parameter, path: Path | None) -> object:
    # Loading costs pydantic's import: only a command that runs pays for it, never a help page.
    from sluice.config.loading import load_settings  # noqa: PLC0415

    return load_settings(path)

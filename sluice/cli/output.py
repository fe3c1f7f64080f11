"""What commands print: results on standard output, for a person or as JSON; errors on standard error.

Nothing here decides an exit code; that is `sluice.cli.application`.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import click

from sluice.errors import ConfigurationError, SluiceError


def emit(data: Mapping[str, Any], as_json: bool, human: str) -> None:
    """Print a result: `data` as one JSON document where asked for, else the text for a person."""
    click.echo(to_json(data) if as_json else human)


def to_json(data: Mapping[str, Any]) -> str:
    """Return readable JSON; decimals, paths and the like are written as strings, so that no digit is lost."""
    return json.dumps(data, indent=2, default=str, ensure_ascii=False)


def emit_error(error: SluiceError, as_json: bool) -> None:
    """Print an error with its fix on standard error."""
    click.echo(to_json({"error": _described(error)}) if as_json else _sentences(error), err=True)


def _described(error: SluiceError) -> dict[str, Any]:
    problems = {"problems": error.problems} if isinstance(error, ConfigurationError) else {}
    return {"message": error.message, "fix": error.fix, "exit_code": error.exit_code, **problems}


def _sentences(error: SluiceError) -> str:
    lines = [f"Error: {line}" for line in error.message.splitlines()] or ["Error: unknown"]
    return "\n".join([*lines, f"Fix: {error.fix}"] if error.fix else lines)


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return rows under their column names, aligned."""
    grid = [[column.replace("_", " ") for column in columns], *rows]
    widths = [max(len(row[index]) for row in grid) for index in range(len(columns))]
    return "\n".join(
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in grid)

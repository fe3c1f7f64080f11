"""`sluice config check` and `sluice config show`."""

import json
from decimal import Decimal
from pathlib import Path

import click
from pydantic import SecretStr

from sluice.cli.options import config_path_option, json_option
from sluice.cli.output import emit
from sluice.config import shape
from sluice.config.loading import LoadedSettings, load_with_origins
from sluice.config.problems import REDACTED


@click.command()
@config_path_option
@json_option
def check(path: Path | None, as_json: bool) -> None:
    """Report every mistake in the configuration at once.

    Exit code 4 where there is one.
    """
    loaded = load_with_origins(path)
    file = str(loaded.file) if loaded.file else None
    count = len(loaded.origins)
    emit({"ok": True, "file": file, "settings_given": count}, as_json,
         f"The configuration is sound: {file or 'no file'}, {count} settings given, the others at their defaults.")


@click.command()
@config_path_option
@json_option
def show(path: Path | None, as_json: bool) -> None:
    """Show the configuration in force and where each value comes from.

    Secrets are masked.
    """
    loaded = load_with_origins(path)
    rows = {shape.dotted(place): (_value(loaded, place), loaded.origin(place)) for place in shape.leaves()}
    data = {key: {"value": value, "origin": origin} for key, (value, origin) in rows.items()}
    lines = [(f"{key} = {json.dumps(value, ensure_ascii=False)}", origin) for key, (value, origin) in rows.items()]
    human = "\n".join(f"{line:60}  # {origin}" for line, origin in lines)
    emit({"file": str(loaded.file) if loaded.file else None, "settings": data}, as_json, human)


def _value(loaded: LoadedSettings, place: tuple[str, ...]) -> object:
    value: object = loaded.settings
    for key in place:
        value = getattr(value, key)
    return _plain(value)


def _plain(value: object) -> object:
    if isinstance(value, SecretStr):
        return REDACTED if value.get_secret_value() else ""
    if isinstance(value, Decimal | Path):
        return str(value)
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, tuple) else value

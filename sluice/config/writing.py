"""Writing settings back as TOML, for the processes that a run starts. The file holds secrets: it is made mode 0600."""

import json
from collections.abc import Mapping
from decimal import Decimal
from enum import Enum
from pathlib import Path

from pydantic import BaseModel, SecretStr

from sluice.config.settings import Settings
from sluice.config.sources import read_environment
from sluice.files import replace_file


def write_settings(settings: Settings, path: Path) -> None:
    """Write every setting, defaults included, so that the file alone says what a run was."""
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, to_toml(settings).encode(), private=True)


def overrides_removed(environ: Mapping[str, str]) -> dict[str, None]:
    """Return the variables that would override a written file, each with None: what to take out of an environment."""
    return {variable: None for variable, _ in read_environment(environ).values()}


def to_toml(settings: Settings) -> str:
    """Return the settings as TOML text, secrets in plain."""
    lines = []
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if isinstance(value, BaseModel):
            lines += _section(name, value)
        else:
            for table in value:
                lines += ["", f"[[{name}]]", *(f"{key} = {_quoted(text)}" for key, text in table.items())]
    return "\n".join(lines) + "\n"


def _section(path: str, section: BaseModel) -> list[str]:
    lines = ["", f"[{path}]"]
    nested: list[str] = []
    for name in type(section).model_fields:
        value = getattr(section, name)
        if isinstance(value, BaseModel):
            nested += _section(f"{path}.{name}", value)
        elif isinstance(value, dict):
            nested += ["", f"[{path}.{name}]"]
            nested += [f"{_quoted(key)} = {_scalar(found)}" for key, found in value.items()]
        elif value is not None:
            lines.append(f"{name} = {_scalar(value)}")
    return lines + nested


def _scalar(value: object) -> str:
    if isinstance(value, SecretStr):
        return _quoted(value.get_secret_value())
    if isinstance(value, bool | int):
        return json.dumps(value)
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, tuple):
        return "[" + ", ".join(_scalar(item) for item in value) + "]"
    if isinstance(value, Decimal | Path | str):
        return _quoted(str(value))
    if isinstance(value, Enum):
        return _quoted(value.name)
    raise TypeError(f"a setting must be a scalar, was {type(value).__name__}")


def _quoted(text: str) -> str:
    """Return a basic string of TOML. JSON's are the same, but for DEL and for what it writes as surrogate pairs."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")

"""The configuration's page and JSON schema, out of the settings models."""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from types import UnionType
from typing import Any, Final, Literal, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from sluice.config import shape
from sluice.config.settings import Settings
from sluice.config.sources import variable_of

_INTRODUCTION: Final = """\
# Configuration

One TOML file (`--config PATH`, else `$SLUICE_CONFIG`, else `./sluice.toml`; none is needed), and environment variables
over it: `SLUICE_` + section + `__` + key, in capitals. A list is written with commas there, or as JSON. Numbers that
are money, prices or sizes may be written as text (`"0.1"`); no digit of them is lost. Relative paths start at the
folder in which the program runs.

`sluice config check` reports every mistake at once; `sluice config show` tells where each value came from. Editors
complete and check the file against [`settings.schema.json`](settings.schema.json).
"""

_NAMES: Final[dict[Any, str]] = {
    str: "text", bool: "`true` or `false`", int: "whole number", Decimal: "number", Path: "path",
    SecretStr: "secret text"}
_BOUNDS: Final = (("gt", "above"), ("ge", "at least"), ("lt", "below"), ("le", "at most"))


def settings_page() -> str:
    """Return the page in Markdown: a table a section."""
    parts = [_INTRODUCTION]
    for title, model, prefix in _sections(Settings):
        rows = [_row((*prefix, name), field) for name, field in model.model_fields.items()
                if not shape.is_section(field.annotation)]
        if rows:
            parts.append("\n".join([
                f"## {title}", "", _first_line(model), "",
                "| key | what it may be | default | meaning |", "|---|---|---|---|", *rows, ""]))
    parts.append(_instruments_note())
    return "\n".join(parts)


def schema() -> str:
    """Return the JSON schema of a configuration file."""
    return json.dumps(Settings.model_json_schema(), indent=2) + "\n"


def _sections(
    model: type[BaseModel], prefix: tuple[str, ...] = ()
) -> Iterator[tuple[str, type[BaseModel], tuple[str, ...]]]:
    for name, field in model.model_fields.items():
        inner: Any = field.annotation
        if shape.is_section(inner):
            place = (*prefix, name)
            yield f"[{shape.dotted(place)}]", inner, place
            yield from _sections(inner, place)


def _row(place: tuple[str, ...], field: FieldInfo) -> str:
    cells = (f"`{place[-1]}`", _kind(field), _default(field), f"{field.description} `{variable_of(place)}`")
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _kind(field: FieldInfo) -> str:
    bounds = [f"{words} {value}" for attribute, words in _BOUNDS for constraint in field.metadata
              if (value := getattr(constraint, attribute, None)) is not None]
    return ", ".join([_name(field.annotation), *bounds])


def _name(annotation: Any) -> str:
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " or ".join(f"`{choice}`" for choice in inner)
    if origin is tuple:
        return f"list of {_name(inner[0])}"
    if origin is dict:
        return "table"
    if origin is UnionType:
        return _name(inner[0])
    return _NAMES.get(annotation, "text")


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True)
    if isinstance(value, SecretStr) or value in (None, "", ()):
        return "empty"
    if isinstance(value, dict):
        return "`{ " + ", ".join(f'{key} = "{entry}"' for key, entry in value.items()) + " }`"
    return f"`{value}`"


def _first_line(model: type[BaseModel]) -> str:
    return (model.__doc__ or "").strip().splitlines()[0]


def _instruments_note() -> str:
    field = Settings.model_fields["instruments"]
    return (f"## [[instruments]]\n\n{field.description} The keys are those of the entries in\n"
            "[`sluice/instruments.toml`](../../sluice/instruments.toml), every value as text.\n")

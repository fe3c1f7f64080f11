"""Reads configuration from its two sources, a TOML file and environment variables, without judging the values.

`SLUICE_RISK__LIMITS__MAX_ORDER_NOTIONAL=5000` sets `risk.limits.max_order_notional`. A list is written with commas
(`SLUICE_SOURCE__TAPES=a.gz,b.gz`) or as JSON, a table as JSON or one variable an entry
(`SLUICE_ACCOUNT__BALANCES__USDT=1000`). An environment variable wins over the file, the file over the default.
"""

import json
import tomllib
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, get_origin

from sluice.config import shape
from sluice.errors import ConfigurationError, NotFoundError

PREFIX: Final = "SLUICE_"
FILE_VARIABLE: Final = "SLUICE_CONFIG"
DEFAULT_FILE: Final = Path("sluice.toml")


def find_file(path: Path | None, environ: Mapping[str, str]) -> Path | None:
    """Return the configuration file in force, or None for defaults alone. Raises `NotFoundError` for a missing one."""
    named = path or (Path(environ[FILE_VARIABLE]) if environ.get(FILE_VARIABLE) else None)
    if named is None:
        return DEFAULT_FILE if DEFAULT_FILE.is_file() else None
    if not named.exists():
        origin = "--config" if path else FILE_VARIABLE
        raise NotFoundError(f"{origin} must name an existing file, was {named}", fix="create it or correct the path")
    return named


def read_file(path: Path) -> dict[str, Any]:
    """Read a TOML file; numbers with a point become decimals. Raises `ConfigurationError` with the line."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        problem = f"{path}: the file must be valid TOML, and is not: {error}"
        raise ConfigurationError([problem], fix="text is written in quotes, a list in [ ]") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError([f"{path}: the file must be UTF-8 text, was not at byte {error.start}"]) from error
    except OSError as error:
        raise ConfigurationError([f"{path}: the file must be readable, was not: {error.strerror}"]) from error


def read_environment(environ: Mapping[str, str]) -> dict[tuple[str, ...], tuple[str, Any]]:
    """Return what environment variables set: place -> (variable, value)."""
    found: dict[tuple[str, ...], tuple[str, Any]] = {}
    for variable in sorted(environ):
        if variable.startswith(PREFIX) and "__" in variable:
            place = _place_of(variable)
            found[place] = (variable, _value_of(place, environ[variable]))
    return found


def misspelt_variables(environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield (variable, what it should be) where one underscore stands for two: it would be ignored in silence."""
    wanted = {variable_of(place).replace("__", "_"): variable_of(place) for place in shape.leaves()}
    for variable in sorted(environ):
        if variable not in wanted.values() and variable.replace("__", "_") in wanted and variable != FILE_VARIABLE:
            yield variable, wanted[variable.replace("__", "_")]


def variable_of(place: shape.Path) -> str:
    """Return the environment variable of a setting."""
    return PREFIX + "__".join(str(key).upper() for key in place)


def _place_of(variable: str) -> tuple[str, ...]:
    place: tuple[str, ...] = ()
    for part in variable.removeprefix(PREFIX).split("__"):
        # Inside a table the keys are the user's own (assets), so their case is kept.
        place = (*place, part if place and shape.is_table(place) else part.lower())
    return place


def _value_of(place: tuple[str, ...], text: str) -> Any:
    kind = get_origin(shape.annotation_at(place))
    if kind in (tuple, dict) and text.lstrip()[:1] in ("[", "{"):
        try:
            return json.loads(text, parse_float=Decimal)
        except json.JSONDecodeError:
            return text  # the wrong type is reported with everything else
    if kind is tuple:
        return [part.strip() for part in text.split(",") if part.strip()]
    return text

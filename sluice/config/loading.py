"""Loads the configuration: a TOML file, environment variables over it, every mistake reported at once.

A problem reads `sluice.toml:risk.limits.max_order_notional: must be above 0, was -5; use a number above 0`, or begins
with the environment variable that it came from. What a setting means is in `sluice.config.settings`.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from sluice.config import crosschecks, problems, shape, sources
from sluice.config.settings import Settings
from sluice.errors import ConfigurationError
from sluice.instruments import Instrument, InstrumentCatalog

_ADVICE: Final = "see docs/reference/configuration.md, and `sluice config show` for what is in force"


@dataclass(frozen=True, slots=True)
class LoadedSettings:
    """Settings with where each came from.

    `origins` maps a place that is not at its default to the file's name or the environment variable.
    """

    settings: Settings
    file: Path | None
    origins: Mapping[tuple[str, ...], str]

    def origin(self, place: tuple[str, ...]) -> str:
        """Return `default`, the file, or the environment variable that set a place or something inside it."""
        found = [name for other, name in self.origins.items() if other[: len(place)] == place]
        return found[-1] if found else "default"


def load_settings(path: Path | None = None, environ: Mapping[str, str] = os.environ) -> Settings:
    """Load the configuration of a file (default: `$SLUICE_CONFIG`, else `./sluice.toml`) and of the environment.

    Raises `ConfigurationError` with every problem, `NotFoundError` where a named file does not exist.
    """
    return load_with_origins(path, environ).settings


def load_with_origins(path: Path | None = None, environ: Mapping[str, str] = os.environ) -> LoadedSettings:
    """Do what `load_settings` does, and tell where each value came from."""
    file = sources.find_file(path, environ)
    tree = sources.read_file(file) if file else {}
    origins = dict.fromkeys(_places(tree), str(file))
    found = [f"{wrong}: unknown variable; did you mean {right}?"
             for wrong, right in sources.misspelt_variables(environ)]
    for place, (variable, value) in sources.read_environment(environ).items():
        if not _put(tree, place, value):
            found.append(f"{variable}: must name a setting, and {shape.dotted(place[:-1])} holds no others")
        origins[place] = variable
    settings = _validated(tree, origins, found)
    return LoadedSettings(settings, file, origins)


def _validated(tree: dict[str, Any], origins: Mapping[tuple[str, ...], str], found: list[str]) -> Settings:
    def where(place: shape.Path) -> str:
        return _where(place, origins)

    try:
        settings = Settings.model_validate(tree)
    except ValidationError as error:
        # Without the chain: pydantic's own text quotes values, and one of them may be a secret.
        found += [problems.sentence(detail, where) for detail in error.errors(include_url=False)]
        raise ConfigurationError(found, fix=_ADVICE) from None
    found += [crosschecks.describe(finding, where) for finding in crosschecks.findings(settings)]
    if found:
        raise ConfigurationError(found, fix=_ADVICE)
    return settings


def _where(place: shape.Path, origins: Mapping[tuple[str, ...], str]) -> str:
    named = tuple(key for key in place if isinstance(key, str))
    above = [origins[named[:length]] for length in range(len(named), 0, -1) if named[:length] in origins]
    inside = [origin for other, origin in origins.items() if other[: len(named)] == named]
    for origin in (*above, *inside):
        return origin if origin.startswith(sources.PREFIX) else f"{origin}:{shape.dotted(place)}"
    return shape.dotted(place)


def _places(tree: Mapping[str, Any], prefix: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for key, value in tree.items():
        found += _places(value, (*prefix, key)) if isinstance(value, Mapping) and value else [(*prefix, key)]
    return found


def _put(tree: dict[str, Any], place: tuple[str, ...], value: object) -> bool:
    for key in place[:-1]:
        tree = tree.setdefault(key, {})
        if not isinstance(tree, dict):
            return False
    tree[place[-1]] = value
    return True


def catalog_of(settings: Settings) -> InstrumentCatalog:
    """Return the shipped instruments with the configuration's added or replacing them."""
    own = InstrumentCatalog(Instrument.from_table(table) for table in settings.instruments)
    return InstrumentCatalog.shipped().merged(own)


def key_directory(settings: Settings) -> Path:
    """Return the folder of risk's signing key."""
    return settings.risk.key_dir or settings.run.data_dir / "keys"


def public_key_directory(settings: Settings) -> Path:
    """Return the folder of the public keys that execution trusts."""
    return settings.execution.public_key_dir or settings.run.data_dir / "keys"

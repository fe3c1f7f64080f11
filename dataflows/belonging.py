"""What a run belongs to: its journal and its recovery state mean nothing with other tapes, so these are refused."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from dataflows.indicators.schema import MARKET_SCHEMA
from dataflows.market_actors import schema_of_settings
from dataflows.tapes.files import find_tapes
from sluice.config import Settings
from sluice.errors import InputError
from sluice.files import replace_file


class Belongings(msgspec.Struct, frozen=True, forbid_unknown_fields=False):
    """What must stay the same while a run goes on.

    Tapes are known by their names: they may be moved, and may grow. An exchange is known by its clock alone, as its
    address may change. The features are the light set where nothing is said.
    """

    tapes: tuple[str, ...]
    instruments: tuple[str, ...]
    tick_interval_ms: int
    features: str = MARKET_SCHEMA.name


def claim(settings: Settings, instruments: Sequence[str], *, flow: str = "") -> None:
    """Note what the run of this data folder and namespace belongs to, at its first start.

    A `flow` with a name is a run of its own beside the one that trades. Raises `InputError` where the run was begun
    with something else.
    """
    ours = Belongings(
        _market(settings), tuple(instruments),
        settings.source.tick_interval_ms, _features(settings))
    name = ".".join((settings.run.namespace, *filter(None, (flow,)), "json"))
    path = settings.run.data_dir / "run" / name
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, msgspec.json.encode(ours))
        return
    before = _read(path)
    for name in Belongings.__struct_fields__:
        wanted, found = getattr(before, name), getattr(ours, name)
        if wanted != found:
            raise InputError(
                f"the {name} of the run {settings.run.namespace} in {settings.run.data_dir} must be {_shown(wanted)}, "
                f"as it was begun, was {_shown(found)}",
                fix="start another run: set run.data_dir or run.namespace to one of its own")


def _features(settings: Settings) -> str:
    """Say which features rows have; those of the light set know no other instrument."""
    schema = schema_of_settings(settings.features)
    if schema == MARKET_SCHEMA:
        return schema.name
    return f"{schema.name} version {schema.version} {schema.hash[:12]}, to {settings.features.reference}"


def _market(settings: Settings) -> tuple[str, ...]:
    source = settings.source
    if source.kind == "exchange":
        return (f"an exchange by the {source.exchange.clock} clock",)
    return tuple(path.name for path in find_tapes(source.tapes))


def _read(path: Path) -> Belongings:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Belongings)
    except msgspec.DecodeError as error:
        raise InputError(f"{path} must say what the run belongs to, was not readable: {error}",
                         fix="set run.data_dir to another folder") from None


def _shown(value: object) -> str:
    return ", ".join(value) if isinstance(value, tuple) else str(value)

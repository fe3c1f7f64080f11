"""What the settings models say about a place in the configuration: which keys there are, and what is secret.

A place is a path of keys such as `("risk", "limits", "max_order_notional")`. Nothing here reads a file.
"""

from collections.abc import Iterator
from typing import Any, get_args, get_origin

from pydantic import BaseModel, SecretStr

from sluice.config.settings import Settings

Path = tuple[str | int, ...]


def leaves(model: type[BaseModel] = Settings, prefix: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the place of every setting that is not itself a section, in the order of the models."""
    for name, field in model.model_fields.items():
        inner: Any = field.annotation
        if is_section(inner):
            yield from leaves(inner, (*prefix, name))
        else:
            yield (*prefix, name)


def is_section(annotation: Any) -> bool:
    """Tell whether an annotation is a section of its own."""
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def keys_at(place: Path) -> list[str]:
    """Return the keys that a section may have; empty where the place is no section."""
    model: Any = Settings
    for key in place:
        field = model.model_fields.get(key) if is_section(model) else None
        model = field.annotation if field else None
    return list(model.model_fields) if is_section(model) else []


def annotation_at(place: Path) -> Any:
    """Return the type of a setting; of its table or list where the place is inside one; None where there is none."""
    model: Any = Settings
    for key in place:
        if not is_section(model):
            return model
        field = model.model_fields.get(key)
        model = field.annotation if field else None
    return model


def is_secret(place: Path) -> bool:
    """Tell whether what stands at a place must never be shown."""
    annotation = annotation_at(place)
    return annotation is SecretStr or SecretStr in get_args(annotation)


def is_table(place: Path) -> bool:
    """Tell whether a place holds names of the user's own, such as assets."""
    return get_origin(annotation_at(place)) is dict


def dotted(place: Path) -> str:
    """Return a place as it is written in texts: `source.tapes[0]`."""
    text = ""
    for key in place:
        text += f"[{key}]" if isinstance(key, int) else f".{key}" if text else key
    return text

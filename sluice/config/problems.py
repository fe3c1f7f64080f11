"""Turns what pydantic found into sentences: `sluice.toml:risk.address: must be ..., was 'x'; fix`.

A value is quoted only where it cannot be a secret.
"""

import difflib
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final, get_args

from pydantic_core import ErrorDetails

from sluice.config import shape

REDACTED: Final = "***"
_CREDENTIALS: Final = re.compile(r"(?<=://)[^/\s]*@")
_LONGEST: Final = 80

#: pydantic's error type -> what must be, from the bound that it names.
_BOUNDS: Final[Mapping[str, tuple[str, str]]] = {
    "greater_than": ("gt", "above"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "below"),
    "less_than_equal": ("le", "at most"),
}

#: pydantic's error type -> (what must be, how to mend it).
_KINDS: Final[Mapping[str, tuple[str, str]]] = {
    "int_type": ("a whole number", "write it without quotes"),
    "int_parsing": ("a whole number", "write it without quotes"),
    "int_from_float": ("a whole number", "leave out the fraction"),
    "decimal_type": ("a decimal number", 'write it as "0.5"'),
    "decimal_parsing": ("a decimal number", 'write it as "0.5"'),
    "finite_number": ("a finite number", "use a number"),
    "string_type": ("text", "put it in quotes"),
    "string_too_short": ("text that is not empty", "give it a name"),
    "path_type": ("a path", "put it in quotes"),
    "tuple_type": ("a list", "write it in [ ]"),
    "dict_type": ("a table", "write KEY = VALUE lines below its [section]"),
    "model_type": ("a section", "write KEY = VALUE lines below its [section]"),
}

#: A value that must fit a pattern is explained by an example.
_EXAMPLES: Final[Mapping[str, tuple[str, str]]] = {
    "address": ("host:port or unix:/path", 'such as "127.0.0.1:50051"'),
    "namespace": ("lower-case letters, digits and _, at most 41, a letter first", 'such as "sluice"'),
}


def sentence(error: ErrorDetails, where: Callable[[shape.Path], str]) -> str:
    """Return one problem as `WHERE: PROBLEM; FIX`. `where` names the file or variable of a place."""
    place = error["loc"]
    problem, fix = _explain(error, place)
    return f"{where(place)}: {problem}{f'; {fix}' if fix else ''}"


def shown(place: shape.Path, value: object) -> str:
    """Return a value as a problem quotes it: short, and never a secret."""
    if isinstance(value, Mapping):
        return "a table"
    # What stands in place of a whole section may hold one of its secrets.
    if shape.is_secret(place) or shape.keys_at(place):
        return REDACTED
    if isinstance(value, Decimal):
        return str(value)
    text = redacted(repr(value))
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def redacted(text: str) -> str:
    """Return a text with the credentials of every URL in it masked."""
    return _CREDENTIALS.sub(f"{REDACTED}@", text)


def unknown_key(place: shape.Path) -> tuple[str, str]:
    """Return problem and fix for a key that does not exist, with the nearest that does."""
    known = shape.keys_at(place[:-1])
    near = difflib.get_close_matches(str(place[-1]), known, n=1, cutoff=0.6)
    if near:
        return "unknown key", f"did you mean {shape.dotted((*place[:-1], near[0]))}?"
    elsewhere = [leaf for leaf in shape.leaves() if leaf[-1] == place[-1]]
    if elsewhere:
        return "unknown key", f"did you mean {shape.dotted(elsewhere[0])}?"
    return "unknown key", f"known here: {', '.join(known)}"


def _explain(error: ErrorDetails, place: shape.Path) -> tuple[str, str]:
    kind, context = error["type"], error.get("ctx", {})
    if kind == "extra_forbidden":
        return unknown_key(place)
    must, fix = _requirement(kind, place, context) or (_plain(error["msg"]), "")
    return f"must be {must}, was {shown(place, error['input'])}", fix


def _requirement(kind: str, place: shape.Path, context: Mapping[str, Any]) -> tuple[str, str] | None:
    if kind in _BOUNDS:
        key, words = _BOUNDS[kind]
        return f"{words} {context[key]}", f"use a number {words} {context[key]}"
    if kind == "literal_error":
        choices = get_args(shape.annotation_at(place))
        return f"one of {', '.join(choices)}", ""
    if kind == "string_pattern_mismatch":
        return _EXAMPLES.get(str(place[-1]), (f"text that fits {context['pattern']}", ""))
    return _KINDS.get(kind)


def _plain(message: str) -> str:
    return message[:1].lower() + message[1:].removeprefix("Value error, ")

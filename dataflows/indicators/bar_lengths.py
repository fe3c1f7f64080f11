"""Lengths of bars as texts: `1s`, `5m`, `1h`. They are in settings, on the command line and at the end of names."""

import re
from collections.abc import Sequence

from sluice.errors import InputError

_UNITS = {"s": 1_000_000_000, "m": 60_000_000_000, "h": 3_600_000_000_000, "d": 86_400_000_000_000}
_LENGTH = re.compile(r"([1-9][0-9]{0,4})([smhd])")
#: A bar that is longer says nothing that a stream of ticks could be used for.
LONGEST_NS = 86_400_000_000_000
_FIX = "write for example 1s, 5m or 1h"


def parse_length(text: str) -> int:
    """Return a length in nanoseconds. Raises `InputError`."""
    found = _LENGTH.fullmatch(text.strip())
    if found is None:
        raise InputError(f"a bar's length must be a number with s, m, h or d, was {text!r}", fix=_FIX)
    length_ns = int(found[1]) * _UNITS[found[2]]
    if length_ns > LONGEST_NS:
        raise InputError(f"a bar's length must be at most a day, was {text!r}", fix=_FIX)
    return length_ns


def length_name(length_ns: int) -> str:
    """Return the one text of a length, in its largest whole unit. Raises `InputError` where it is no whole seconds."""
    for unit, size_ns in reversed(_UNITS.items()):
        if length_ns > 0 and length_ns % size_ns == 0:
            return f"{length_ns // size_ns}{unit}"
    raise InputError(f"a bar's length must be whole seconds, was {length_ns} ns", fix=_FIX)


def parse_lengths(texts: Sequence[str]) -> tuple[int, ...]:
    """Return several lengths in nanoseconds, the shortest first.

    Raises `InputError` where one cannot be read, none is given or one is given twice.
    """
    lengths = sorted(map(parse_length, texts))
    if not lengths or len(set(lengths)) < len(lengths):
        given = ", ".join(texts) or "(none)"
        raise InputError(f"bars must be of at least one length and each of another, were {given}", fix=_FIX)
    return tuple(lengths)

"""Parameters of requests: taking them apart, and reading each by its kind.

What is not legal is refused in Binance's words and never guessed at. Parameters that a route does not know are left
alone, as the venue does: clients send some of their own, and they are part of what is signed.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from backtest.exchange.core.errors import ExchangeError
from backtest.exchange.rest.refusals import refusal, too_many_parameters

#: More parameters than any endpoint takes.
MOST_PARAMETERS: Final = 64


class Kind(Enum):
    """What a parameter's text must look like; the value is the pattern that Binance names in its refusal."""

    TEXT = r"^[^\x00-\x1f\x7f]{1,4096}$"
    INTEGER = r"^[0-9]{1,20}$"
    DECIMAL = r"^([0-9]{1,20})(\.[0-9]{1,20})?$"
    BOOLEAN = r"^(true|false)$"
    SYMBOL = r"^[A-Z0-9_.-]{1,20}$"
    JSON = r"^[\[{].*$"


_PATTERNS: Final = {kind: re.compile(kind.value, re.ASCII | re.DOTALL) if kind is not Kind.TEXT
                    else re.compile(kind.value) for kind in Kind}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a route. `choices`, where given, are the only legal values; `refused_as` is their code."""

    name: str
    kind: Kind = Kind.TEXT
    mandatory: bool = False
    choices: tuple[str, ...] = ()
    refused_as: int = -1130

    def read(self, text: str) -> Any:
        """Return the value of a text. Raises `ExchangeError`."""
        if self.choices:
            return self._chosen(text)
        legal = text.lower() if self.kind is Kind.BOOLEAN else text
        if not _PATTERNS[self.kind].fullmatch(legal):
            raise refusal(-1100, parameter=self.name, legal=self.kind.value)
        if self.kind is Kind.INTEGER:
            return int(text)
        if self.kind is Kind.DECIMAL:
            return Decimal(text)
        return legal == "true" if self.kind is Kind.BOOLEAN else text

    def _chosen(self, text: str) -> str:
        if text not in self.choices:
            raise refusal(self.refused_as, parameter=self.name)
        return text


@dataclass(frozen=True, slots=True)
class Arguments:
    """The parameters of a request by name, each read by its kind. Those that were not sent are missing."""

    values: Mapping[str, Any]

    @classmethod
    def read(cls, specifications: Iterable[Parameter], sent: Mapping[str, str]) -> "Arguments":
        """Read what was sent. Raises `ExchangeError` -1102 for what is missing, -1105 for what is empty, -1100..."""
        values: dict[str, Any] = {}
        for specification in specifications:
            text = sent.get(specification.name)
            if text:
                values[specification.name] = specification.read(text)
            elif specification.mandatory:
                raise refusal(-1102, parameter=specification.name)
            elif text is not None:
                raise refusal(-1105, parameter=specification.name)
        return cls(values)

    def text(self, name: str) -> str | None:
        """Return a text, or None."""
        found = self.values.get(name)
        return None if found is None else str(found)

    def integer(self, name: str) -> int | None:
        """Return a whole number, or None."""
        found = self.values.get(name)
        return None if found is None else int(found)

    def decimal(self, name: str) -> Decimal | None:
        """Return a decimal, or None."""
        found = self.values.get(name)
        return None if found is None else Decimal(found)

    def flag(self, name: str) -> bool | None:
        """Return a truth value, or None."""
        found = self.values.get(name)
        return None if found is None else bool(found)

    def needed(self, name: str) -> str:
        """Return a text. Raises `ExchangeError` -1102 where it was not sent."""
        if (found := self.text(name)) is None:
            raise refusal(-1102, parameter=name)
        return found

    def at_most(self, name: str, default: int, most: int) -> int:
        """Return a count from 1 to `most`, else the default. Raises `ExchangeError` -1130 beyond."""
        found = self.integer(name)
        if found is not None and not 1 <= found <= most:
            raise refusal(-1130, parameter=name)
        return default if found is None else found


def merged(query: str, body: str) -> dict[str, str]:
    """Return the decoded parameters of a query string and a form body; the query wins where both name one.

    Raises `ExchangeError`: -1101 for a name that is sent twice in one of them and for too many, -1100 for text that
    is not UTF-8.
    """
    from_body, from_query = _pairs(body), _pairs(query)
    if len(from_body) + len(from_query) > MOST_PARAMETERS:
        raise too_many_parameters()
    return from_body | from_query


def _pairs(part: str) -> dict[str, str]:
    if part.count("&") > MOST_PARAMETERS:
        raise too_many_parameters()
    found: dict[str, str] = {}
    for pair in filter(None, part.split("&")):
        name, _, value = pair.partition("=")
        name = _decoded(name, "name")
        if name in found:
            raise refusal(-1101, parameter=name[:40])
        found[name] = _decoded(value, name)
    return found


def _decoded(text: str, name: str) -> str:
    try:
        return unquote_to_bytes(text.replace("+", " ").encode(errors="surrogateescape")).decode()
    except UnicodeDecodeError:
        raise refusal(-1100, parameter=name[:40], legal="UTF-8") from None


def one_of(names: Iterable[str], arguments: Arguments) -> None:
    """Raise `ExchangeError` -1102 unless at least one of the named parameters was sent."""
    wanted = tuple(names)
    if not any(name in arguments.values for name in wanted):
        text = f"Param '{wanted[0]}' or '{wanted[1]}' must be sent, but both were empty/null!"
        raise ExchangeError(-1102, text)

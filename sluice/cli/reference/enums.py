"""A page out of an enum of the contracts: its values with the comments that stand above them."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from sluice.errors import InvariantError

_VALUE: Final = re.compile(r"(?P<name>[A-Z][A-Z0-9_]*) = (?P<number>\d+);")
_CAPITAL: Final = re.compile(r"(?<!^)(?=[A-Z])")


class Value(NamedTuple):
    """One value of an enum; the name is without the enum's prefix."""

    name: str
    number: int
    meaning: str


@dataclass(frozen=True, slots=True)
class EnumPage:
    """What a page is about."""

    file: str
    title: str
    contract: str
    enum: str
    introduction: str

    def render(self, contracts: Path) -> str:
        """Return the page in Markdown. The zero value is left out: it is never sent."""
        found = values((contracts / self.contract).read_text(), self.enum)
        rows = [f"| {value.number} | `{value.name}` | {value.meaning} |" for value in found if value.number]
        return "\n".join([
            f"# {self.title}", "", self.introduction, "",
            f"From `enum {self.enum}` in [`{self.contract}`](../../proto/{self.contract}).", "",
            "| number | name | meaning |", "|---|---|---|", *rows, ""])


def values(proto: str, enum: str) -> list[Value]:
    """Return the values of an enum in a .proto text, each with the comment right above it."""
    body = re.search(rf"^enum {enum} \{{\n(.*?)^\}}", proto, re.MULTILINE | re.DOTALL)
    if body is None:
        raise InvariantError(f"the contract must define enum {enum}, does not")
    prefix = f"{_CAPITAL.sub('_', enum).upper()}_"
    found: list[Value] = []
    comment: list[str] = []
    for line in map(str.strip, body.group(1).splitlines()):
        if line.startswith("//"):
            comment.append(line.removeprefix("//").strip())
        elif match := _VALUE.fullmatch(line):
            found.append(Value(match["name"].removeprefix(prefix), int(match["number"]), " ".join(comment)))
            comment = []
    return found

"""What a check found in one recording: each cause with how often, where first, and what was there."""

from collections.abc import Mapping
from typing import Final

import msgspec

from dataflows.deadletters import DeadLetterReason as Reason

#: Causes that say something true and unusual of a market or a connection, and nothing against the recording.
REMARKS: Final = frozenset({Reason.STALE_STREAM, Reason.OUTLIER, Reason.EMPTY_TRADE})
#: Lines of one cause that a report names.
MOST_LINES: Final = 20


class Found(msgspec.Struct):
    """One cause: `lines` are the first `MOST_LINES` of them, `first` is what was there."""

    reason: str
    remark: bool
    count: int
    first: str
    lines: list[int]


class Report:
    """What was found in one file. Line numbers are the file's, from 1; 0 for what is of no line."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.form = ""
        self.lines = 0
        self._found: dict[Reason, Found] = {}

    def add(self, reason: Reason, line: int, message: str) -> None:
        """Take a finding. `message` reads "X must be Y, was Z"."""
        found = self._found.setdefault(reason, Found(reason.name, reason in REMARKS, 0, message, []))
        found.count += 1
        if len(found.lines) < MOST_LINES:
            found.lines.append(line)

    @property
    def found(self) -> Mapping[str, Found]:
        """Return the causes by name, in the order in which they were met."""
        return {found.reason: found for found in self._found.values()}

    @property
    def clean(self) -> bool:
        """Tell whether nothing speaks against the recording. Remarks do not."""
        return all(found.remark for found in self._found.values())

    def as_data(self) -> dict[str, object]:
        """Return everything as plain data for JSON."""
        return {
            "file": self.file, "form": self.form, "lines": self.lines, "clean": self.clean,
            "found": [msgspec.to_builtins(found) for found in self._found.values()],
        }

    def text(self) -> str:
        """Return it for a person: a line for the file, and one for each cause."""
        verdict = "clean" if self.clean else "not clean"
        return "\n".join([
            f"{self.file}: {verdict} ({self.form}, {self.lines:,} lines)",
            *(_told(found) for found in self._found.values())])


def _told(found: Found) -> str:
    kind = " (remark)" if found.remark else ""
    where = f"line {found.lines[0]:,}: " if found.lines[0] else ""
    return f"  {found.reason + kind:<36}{found.count:>8,}  {where}{found.first}"

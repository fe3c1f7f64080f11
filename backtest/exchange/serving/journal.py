"""The journal of a served exchange: its commands on disk, so that one that was killed is rebuilt as it was.

A line is written before its command is answered. The first line names the tape; a journal of another tape, or of other
fees or latency, is refused, because the same commands would mean something else there. A last line that was cut off
belongs to a command that nobody was answered, and is dropped.
"""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

import msgspec

from backtest.exchange.core.commands import Command, decode, encode
from sluice.errors import InputError

#: Bytes at the beginning of each tape that its fingerprint is made of, besides its length.
_FINGERPRINT_BYTES = 64 * 1024
_VERSION = 1


class JournalHead(msgspec.Struct, frozen=True):
    """What a journal belongs to."""

    tape: str
    fingerprint: str
    rules: str
    version: int = _VERSION


def fingerprint(tapes: Iterable[Path]) -> str:
    """Return what tells tapes apart: a digest of their lengths and beginnings. Raises `InputError`."""
    digest = hashlib.sha256()
    for path in tapes:
        try:
            with path.open("rb") as file:
                digest.update(b"%d " % path.stat().st_size + file.read(_FINGERPRINT_BYTES))
        except OSError as error:
            raise InputError(f"a tape must be readable, was {str(path)!r}: {error.strerror}") from error
    return digest.hexdigest()


class Journal:
    """An open journal. `commands` are those that were in it when it was opened."""

    def __init__(self, path: Path, head: JournalHead) -> None:
        """Open or begin a journal. Raises `InputError` for one of something else or one that cannot be used."""
        self._path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
            lines = self._whole_lines()
        except OSError as error:
            raise InputError(f"a journal must be writable, was {str(path)!r}: {error.strerror}") from error
        if lines:
            self._check(lines[0], head)
        else:
            os.write(self._file, msgspec.json.encode(head) + b"\n")
        self.commands: list[Command] = [decode(line) for line in lines[1:]]

    def append(self, command: Command) -> None:
        """Write a command."""
        os.write(self._file, encode(command) + b"\n")

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    def _whole_lines(self) -> list[bytes]:
        content = self._path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        if len(whole) < len(content):
            os.ftruncate(self._file, len(whole))
        return whole.splitlines()

    def _check(self, line: bytes, head: JournalHead) -> None:
        try:
            found = msgspec.json.decode(line, type=JournalHead)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise InputError(f"a journal must begin with what it belongs to, {str(self._path)!r} does not",
                             fix="name another file") from None
        if found != head:
            raise InputError(
                f"a journal must belong to this market and its rules, {str(self._path)!r} is of {found.tape!r}",
                fix="name the tape, fees and latency that it was written with, or another journal")

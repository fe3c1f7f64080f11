"""Helpers of the tape tests: making tape files and reading all items of one."""

import gzip
import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from dataflows.deadletters import DeadLetter
from dataflows.tapes.frames import Frame
from dataflows.tapes.reader import TapeReader

START_NS = 1_700_000_000_000_000_000
DATA = Path(os.environ.get("SLUICE_DATA", "../shared/data"))


def needs_data(name: str) -> pytest.MarkDecorator:
    """Skip a test by name where the recorded data is missing."""
    return pytest.mark.skipif(not (DATA / name).exists(), reason=f"recorded data {name} is missing")


def line(offset_ns: int, payload: bytes = b'{"s":"BTCUSDT"}') -> bytes:
    """Return one line of a tape, without its end."""
    return b"%d %b" % (START_NS + offset_ns, payload)


def write(path: Path, lines: Sequence[bytes]) -> Path:
    """Write lines as a plain or gzip file, by the suffix."""
    text = b"".join(one + b"\n" for one in lines)
    path.write_bytes(gzip.compress(text, mtime=0) if path.suffix == ".gz" else text)
    return path


def read(*paths: Path, block_bytes: int = 512 * 1024, skip: int = 0) -> list[Frame | DeadLetter]:
    """Read every item of tapes."""
    reader = TapeReader(paths, block_bytes=block_bytes)
    reader.skip(skip)
    return list(reader)


def reasons(items: Sequence[Frame | DeadLetter]) -> list[str]:
    """Return `frame` or the reason's name for each item."""
    return [item.reason.name if isinstance(item, DeadLetter) else "frame" for item in items]

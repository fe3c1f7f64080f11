"""Dead letters into a file, one JSON line each: reason, message, line of the tape, and the payload's beginning.

The resume state is the length of the file, so what was written after the last snapshot is cut off before it is written
again: every dead letter stands there once.
"""

import os
from pathlib import Path

import msgspec
from bytewax.outputs import FixedPartitionedSink, StatefulSinkPartition

from dataflows.deadletters import DeadLetter


class DeadLetterPartition(StatefulSinkPartition[DeadLetter, int]):
    """Appends to the file from a known length on."""

    def __init__(self, path: Path, length: int) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o644), "r+b")
        self._file.truncate(length)
        self._file.seek(0, os.SEEK_END)

    def write_batch(self, values: list[DeadLetter]) -> None:
        """Write each as one line."""
        for letter in values:
            self._file.write(msgspec.json.encode(_shown(letter)) + b"\n")

    def snapshot(self) -> int:
        """Return the length of what is safely written."""
        self._file.flush()
        return self._file.tell()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class DeadLetterSink(FixedPartitionedSink[DeadLetter, int]):
    """The dead letters of a run, in one file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def list_parts(self) -> list[str]:
        """Return the one partition's name."""
        return ["file"]

    def build_part(self, step_id: str, for_part: str, resume_state: int | None) -> DeadLetterPartition:
        """Open the file where the last snapshot left it, or empty."""
        return DeadLetterPartition(self._path, resume_state or 0)


def _shown(letter: DeadLetter) -> dict[str, object]:
    return {
        "reason": letter.reason.name,
        "message": letter.message,
        "line": letter.sequence,
        "receive_time_ns": letter.receive_time_ns,
        "instrument": letter.instrument,
        "payload": letter.payload.decode("utf-8", "replace"),
    }

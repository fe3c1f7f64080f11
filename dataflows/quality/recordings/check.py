"""Checking recordings of either form: which form a file has is told by its first lines."""

from collections.abc import Sequence
from pathlib import Path

from dataflows.deadletters import DeadLetterReason as Reason
from dataflows.quality.recordings.csv_files import check_csv
from dataflows.quality.recordings.csv_rows import is_header
from dataflows.quality.recordings.findings import Report
from dataflows.quality.recordings.tape_files import check_tape
from dataflows.tapes.files import OnRead, TapeDamagedError, read_lines
from sluice.errors import InputError, NotFoundError

#: Files of a folder that are looked at.
_SUFFIXES = frozenset({".gz", ".zst", ".csv", ".jsonl", ".txt", ".tape", ".log"})
_SNIFF_BYTES = 64 * 1024


def find_recordings(paths: Sequence[Path]) -> list[Path]:
    """Return the files of paths in their order; a folder stands for the recordings directly in it, by name.

    Raises `NotFoundError` for a path that does not exist, `InputError` for a folder without any.
    """
    found: dict[Path, None] = {}
    for path in paths:
        if not path.exists():
            raise NotFoundError(f"a recording must exist, was {str(path)!r}", fix="name a tape or a CSV file")
        inside = sorted(p for p in path.iterdir() if p.suffix in _SUFFIXES and p.is_file()) if path.is_dir() else [path]
        if not inside:
            wanted = ", ".join(sorted(_SUFFIXES))
            raise InputError(f"a folder of recordings must hold files such as *{wanted}, was {str(path)!r} without any")
        found |= dict.fromkeys(inside)
    return list(found)


def check_recording(path: Path, on_read: OnRead | None = None) -> Report:
    """Check one file and return what was found. Raises `InputError` where it cannot be read at all."""
    report = Report(str(path))
    if not is_csv(path):
        check_tape(report, path, on_read)
        return report
    try:
        check_csv(report, read_lines(path, on_read=on_read), path.name)
    except TapeDamagedError as damage:
        report.add(Reason.TRUNCATED_FILE, report.lines, f"{path.name}: {damage}")
    return report


def is_csv(path: Path) -> bool:
    """Tell whether the first line of a file that is no comment names the columns of a CSV recording."""
    try:
        for lines in read_lines(path, _SNIFF_BYTES):
            for line in lines:
                if line and not line.startswith(b"#"):
                    return is_header(line)
    except TapeDamagedError:
        pass  # its check tells
    return False

"""The check of a recording that is a CSV file."""

from collections.abc import Iterable

from dataflows.deadletters import DeadLetterReason as Reason
from dataflows.quality.recordings.csv_events import EventCheck
from dataflows.quality.recordings.csv_records import NameCheck, RecorderCheck, day_of
from dataflows.quality.recordings.csv_rows import Malformed, RowKind, read_rows
from dataflows.quality.recordings.findings import Report


def check_csv(report: Report, blocks: Iterable[list[bytes]], name: str) -> None:
    """Check the lines of a CSV file of this name and report what is wrong. Raises `InputError` as `read_rows` does."""
    recorder, names, events = RecorderCheck(report.add, day_of(name)), NameCheck(report.add), EventCheck(report.add)
    kinds: dict[RowKind, None] = {}
    for row in read_rows(blocks):
        report.lines = row.line
        if isinstance(row, Malformed):
            report.add(Reason.MALFORMED_LINE, row.line, row.message)
            continue
        kinds[row.kind] = None
        recorder.row(row)
        events.row(row, believed=names.row(row))
    events.end()
    report.form = "CSV of " + (", ".join(f"{kind.value}s" for kind in kinds) or "nothing")

"""`sluice data check`."""

from pathlib import Path

import click

from sluice.cli.options import json_option
from sluice.cli.output import emit
from sluice.cli.progress import progress_bar


@click.command(short_help="Check recordings for what is wrong in them.")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...")
@json_option
def check(paths: tuple[Path, ...], as_json: bool) -> None:
    """Check recordings: what is wrong, how often, where first and what was there.

    FILE is a raw tape or a CSV file of prices, each gzip, zstd or plain, or a folder of such files. Exit code 0: clean;
    1: something speaks against a recording. Remarks, such as a silence or a huge trade, do not.
    """
    from dataflows.quality.recordings.check import check_recording, find_recordings  # noqa: PLC0415  # numba: slow
    from dataflows.tapes.summary import parts_of  # noqa: PLC0415  # numpy: not for a help page

    files = find_recordings(paths)
    with progress_bar("Checking", quiet=as_json) as advance:
        on_read = parts_of(files, advance)
        reports = [check_recording(file, on_read) for file in files]
    clean = all(report.clean for report in reports)
    data = {"clean": clean, "files": [report.as_data() for report in reports]}
    emit(data, as_json, "\n".join(report.text() for report in reports))
    if not clean:
        raise SystemExit(1)

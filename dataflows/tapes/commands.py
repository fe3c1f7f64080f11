"""`sluice tape info` and `sluice tape compile`."""

from pathlib import Path

import click

from sluice.cli.options import json_option
from sluice.cli.output import emit
from sluice.cli.progress import progress_bar

_paths = click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PATH...")


@click.command(short_help="Show what a tape holds.")
@_paths
@json_option
def info(paths: tuple[Path, ...], as_json: bool) -> None:
    """Show what tapes hold: lines, bad lines by reason, streams, symbols, times and rates.

    PATH is a tape (gzip, zstd or plain) or a folder of tapes; several are read as one, merged by receive time.
    """
    from dataflows.tapes.summary import summarise  # noqa: PLC0415  # numpy: not for a help page

    with progress_bar("Reading", quiet=as_json) as advance:
        summary = summarise(paths, advance)
    emit(summary.as_data(), as_json, summary.text())


@click.command("compile", short_help="Compile a tape into columns for backtests.")
@_paths
@click.option(
    "-o", "--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder to write to."
)
@click.option(
    "--shift-ms", type=float, default=None, metavar="MS",
    help="Added to receive times. Default: just so much that nothing is received before it happened.",
)  # fmt: skip
@json_option
def compile_tape(paths: tuple[Path, ...], out: Path, shift_ms: float | None, as_json: bool) -> None:
    """Compile tapes into one .npz of columns an instrument, in hftbacktest's event layout (array `data`)."""
    from dataflows.tapes.compiled import compile_tapes  # noqa: PLC0415  # numpy: not for a help page

    shift_ns = None if shift_ms is None else round(shift_ms * 1e6)
    with progress_bar("Compiling", quiet=as_json) as advance:
        made = compile_tapes(paths, out, shift_ns=shift_ns, progress=advance)
    files = [f"Wrote {file} ({made.rows[symbol]:,} rows)" for symbol, file in made.files.items()]
    left = ", ".join(f"{count:,} {what}" for what, count in made.left_out.items()) or "nothing"
    data = {
        "files": {symbol: str(file) for symbol, file in made.files.items()},
        "rows": made.rows,
        "left_out": made.left_out,
        "shift_ms": made.shift_ns / 1e6,
    }
    human = "\n".join([*files, f"Left out: {left}", f"Receive times shifted by {made.shift_ns / 1e6:.3f} ms"])
    emit(data, as_json, human)

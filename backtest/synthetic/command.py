"""`sluice tape make`: write a synthetic tape."""

import shlex
from datetime import UTC, datetime
from pathlib import Path

import click

from backtest.synthetic import DEFAULT_START_NS, DEFAULT_SYMBOLS, make_tape
from sluice.cli.options import json_option
from sluice.cli.output import emit
from sluice.cli.progress import progress_bar

_DEFAULT_START = datetime.fromtimestamp(DEFAULT_START_NS // 1_000_000_000, UTC).replace(tzinfo=None)


@click.command(short_help="Make a synthetic tape.")
@click.option(
    "-o", "--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder to write to."
)
@click.option("--seed", type=int, default=7, show_default=True, help="The same seed makes the same bytes.")
@click.option("--minutes", type=float, default=10.0, show_default=True, help="Length in minutes of event time.")
@click.option("--symbols", default=",".join(DEFAULT_SYMBOLS), show_default=True, help="Symbols, with commas between.")
@click.option("--start", type=click.DateTime(), default=_DEFAULT_START, show_default=True, help="First time, in UTC.")
@click.option("--signal", type=float, default=1.0, show_default=True, help="How much the book foretells; 0: nothing.")
@json_option
def make(out: Path, seed: int, minutes: float, symbols: str, start: datetime, signal: float, as_json: bool) -> None:
    """Make a synthetic tape: seeded frames of correlated symbols as Binance USD-M sends them, a file a symbol."""
    names = [name.strip().upper() for name in symbols.split(",") if name.strip()]
    start_ns = int(start.replace(tzinfo=UTC).timestamp()) * 1_000_000_000
    with progress_bar("Making the tape", quiet=as_json) as advance:
        files = make_tape(
            out, seed=seed, minutes=minutes, symbols=names, start_ns=start_ns, signal=signal, progress=advance
        )
    emit({"files": [str(file) for file in files], "seed": seed, "minutes": minutes}, as_json, _shown(files))


def _shown(files: list[Path]) -> str:
    lines = [f"Wrote {file} ({file.stat().st_size / 1e6:.1f} MB)" for file in files]
    folder = shlex.quote(str(files[0].parent))
    return "\n".join([*lines, f"Replay it: sluice demo --tape {folder}", f"Look at it: sluice tape info {folder}"])

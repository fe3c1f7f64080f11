"""The command `sluice features`: tapes in, a Parquet file of feature rows out."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sluice.cli.options import config_option, json_option
from sluice.cli.output import emit
from sluice.cli.progress import progress_bar
from sluice.clock import NS_PER_MS
from sluice.errors import InputError

if TYPE_CHECKING:
    from dataflows.extraction.run import Extraction
    from sluice.config.settings import Settings



@click.command(short_help="Make feature rows of tapes, for research.")
@click.argument("tapes", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="TAPE...")
@click.option("-o", "--out", type=click.Path(path_type=Path), required=True, help="Parquet file to write.")
@click.option("--set", "kind", type=click.Choice(["light", "full"]), default=None,
              help="Which features. Default: features.set of the configuration.")
@click.option("--every", default="1s", show_default=True, metavar="TIME",
              help="Event time between two rows of an instrument, such as 100ms, 1s or 5m.")
@click.option("--instrument", "instruments", multiple=True, metavar="KEY",
              help="Instrument such as BINANCE_USDM:BTCUSDT; may be given several times. Default: every one named.")
@click.option("--bars", default=None, metavar="LENGTHS",
              help="Lengths of the bars that the full set has indicators on, such as 1s,1m,5m.")
@click.option("--reference", default=None, metavar="KEY",
              help="Instrument that correlation and beta of the full set are to. Default: features.reference.")
@config_option
@json_option
def features(
    tapes: tuple[Path, ...], out: Path, kind: str | None, every: str, instruments: tuple[str, ...], bars: str | None,
    reference: str | None, settings: "Settings", as_json: bool,
) -> None:
    """Make the feature rows of tapes by the code that makes them live, and write them as Parquet.

    TAPE is a tape (gzip, zstd or plain), a folder of tapes, or a compiled tape (.npz); several are read as one. Values
    that are not valid are null. Bad lines are counted and left out.
    """
    from dataflows.extraction.run import extract  # noqa: PLC0415  # numba and polars: not for a help page
    from sluice.config.loading import catalog_of  # noqa: PLC0415

    given = {"set": kind, "bars": tuple(bars.split(",")) if bars is not None else None, "reference": reference}
    chosen = settings.features.model_copy(update={name: value for name, value in given.items() if value is not None})
    settings = settings.model_copy(update={"features": chosen})
    with progress_bar("Reading", quiet=as_json) as advance:
        made = extract(tapes, out, _wanted(settings, every, instruments), catalog_of(settings), advance)
    emit(made.as_data(), as_json, made.text())


def _wanted(settings: "Settings", every: str, instruments: tuple[str, ...]) -> "Extraction":
    from dataflows.extraction.run import Extraction  # noqa: PLC0415  # see above
    from dataflows.market_actors import schema_of_settings  # noqa: PLC0415

    reference = settings.features.reference
    return Extraction(schema_of_settings(settings.features), every_ns(every), instruments or None, reference)


def every_ns(text: str) -> int:
    """Return the time between two rows in nanoseconds. Raises `InputError`."""
    from dataflows.indicators.bar_lengths import parse_length  # noqa: PLC0415  # see above

    number = text.strip().removesuffix("ms")
    if number != text.strip() and number.isascii() and number.isdigit() and 10 <= int(number) <= 86_400_000:
        return int(number) * NS_PER_MS
    try:
        return parse_length(text)
    except InputError:
        raise InputError(f"the time between two rows must be from 10 ms to a day, was {text!r}",
                         fix="write for example 100ms, 1s or 5m") from None

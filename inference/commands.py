"""The commands of this room: `sluice serve inference` and `sluice train`.

The training's libraries are imported by the command that needs them, when it runs.
"""

import asyncio
from pathlib import Path

import click

from sluice.cli.options import config_option, json_option
from sluice.cli.output import emit
from sluice.config.settings import Settings
from sluice.errors import NotFoundError

_TRAIN_EXTRA = ("lightgbm", "onnx", "sklearn")


@click.command()
@config_option
def serve(settings: Settings) -> None:
    """Serve the active model bundle over gRPC."""
    from inference.server import serve_until_stopped  # noqa: PLC0415  # a help page must not pay for ONNX Runtime
    from sluice.telemetry import logging, metrics  # noqa: PLC0415

    logging.configure(settings.telemetry.log_level)
    metrics.serve(settings, "inference")
    asyncio.run(serve_until_stopped(settings.inference, click.echo))


@click.command()
@click.option("--tape", "tapes", type=click.Path(path_type=Path), multiple=True, required=True, metavar="PATH",
              help="Tape file or folder to train on. May be given several times: each is a recording of its own.")
@click.option("--out", "registry", type=click.Path(path_type=Path, file_okay=False), required=True, metavar="DIR",
              help="Registry to write the bundle into, as DIR/<name>/<version>. Serve it with inference.bundles.")
@click.option("--quick", is_flag=True, help="Smaller models: seconds instead of minutes.")
@click.option("--set", "kind", type=click.Choice(["light", "full"]), default=None,
              help="Which features to train on. Default: features.set of the configuration.")
@click.option("--trained-on", default="", metavar="TEXT", help="What the tape is, in words, for the bundle's card.")
@config_option
@json_option
def train(tapes: tuple[Path, ...], registry: Path, quick: bool, kind: str | None, trained_on: str,
          settings: Settings, as_json: bool) -> None:
    """Train a bundle on recorded or synthetic tapes, check it and write it."""
    try:
        from inference.training.pipeline import train_and_write  # noqa: PLC0415  # needs the train extra
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _TRAIN_EXTRA:
            raise
        raise NotFoundError(f"training must find the package {error.name}, found none",
                            fix="pip install 'sluice[train]'") from error
    if kind is not None:
        chosen = settings.features.model_copy(update={"set": kind})
        settings = settings.model_copy(update={"features": chosen})
    outcome = train_and_write(tapes, registry, settings, quick=quick, trained_on=trained_on, show_progress=not as_json)
    emit(outcome.as_dict(), as_json, outcome.as_text())

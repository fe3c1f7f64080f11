"""The command `sluice record`: an exchange's streams as tapes."""

import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sluice.cli.options import config_option, json_option
from sluice.cli.output import emit
from sluice.cli.progress import progress_bar
from sluice.config import Settings

if TYPE_CHECKING:
    from dataflows.sources.exchange.recording import Recording


@click.command(short_help="Record an exchange's streams as tapes.")
@config_option
@click.option("-o", "--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder to write.")
@click.option("--seconds", type=click.FloatRange(0.0, min_open=True), default=None,
              help="How long. Default: until Ctrl-C.")
@json_option
def record(settings: Settings, out: Path, seconds: float | None, as_json: bool) -> None:
    """Record the streams of an exchange as tapes, a file an instrument, from which a run can be repeated.

    The exchange, streams and instruments are those of [source] and [source.exchange]; source.kind does not matter.
    """
    from dataflows.sources.exchange import feeds, recording  # noqa: PLC0415
    from dataflows.steps.stopping import stop_on_signal  # noqa: PLC0415
    from dataflows.traded import traded  # noqa: PLC0415  # a command's imports wait until it runs
    from sluice.clock import SystemClock  # noqa: PLC0415
    from sluice.telemetry import logging  # noqa: PLC0415

    logging.configure(settings.telemetry.log_level)
    exchange = settings.source.exchange
    catalog = traded(settings.model_copy(update={"source": settings.source.model_copy(update={"kind": "exchange"})}))
    handoff = feeds.new_handoff(exchange, SystemClock())
    thread, stop, began_s = feeds.new_thread(exchange, catalog, handoff), _Stop(), time.monotonic()
    stop_on_signal(stop)
    thread.start()
    try:
        with recording.Recorder(out, catalog) as recorder, progress_bar("recording", quiet=as_json) as advance:
            def over(_now_ns: int) -> bool:
                passed_s = time.monotonic() - began_s
                advance(min(passed_s / seconds, 1.0) if seconds else 0.0, f"{recorder.written:,} frames")
                return stop.asked.is_set() or (seconds is not None and passed_s >= seconds)

            recording.record(handoff, recorder, over, lambda: time.sleep(0.01))
    finally:
        thread.stop()
    _tell(recorder.recording(), as_json)


class _Stop:
    """What a signal asks for."""

    def __init__(self) -> None:
        self.asked = threading.Event()

    def request_stop(self) -> None:
        """Ask for the end."""
        self.asked.set()


def _tell(made: "Recording", as_json: bool) -> None:
    files = {str(path): count for path, count in made.files.items()}
    lines = [f"Wrote {path} ({count:,} frames)" for path, count in files.items()] or ["Nothing came"]
    emit({"files": files, "gaps": made.gaps}, as_json, "\n".join([*lines, f"Holes in the stream: {made.gaps}"]))

"""The commands `sluice topics tail`, `sluice tape to-topic` and `sluice tape from-topic`."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dataflows.topics.quiet import CLIENT, muted
from sluice.cli.options import config_option, json_option
from sluice.cli.output import emit
from sluice.cli.progress import progress_bar

if TYPE_CHECKING:
    from sluice.config.settings import Settings


@click.command(short_help="Print a topic's messages as JSON, one a line.")
@config_option
@click.argument("name", metavar="TOPIC")
@click.option("--from", "start", default=None, metavar="earliest|latest|TIME",
              help="Where to begin. Default: earliest, with --follow latest.")
@click.option("--limit", type=click.IntRange(min=1), default=None, metavar="N", help="End after so many messages.")
@click.option("--instrument", default=None, metavar="KEY", help="Only messages of this key.")
@click.option("--follow", is_flag=True, help="Wait for more at the end, until Ctrl-C.")
@muted(CLIENT)
def tail(
    settings: "Settings", name: str, start: str | None, limit: int | None, instrument: str | None, follow: bool
) -> None:
    """Print the messages of TOPIC (raw, features, decisions, executions, audit), decoded, in the order of event time.

    One JSON object a line: key, partition, offset, event time, headers and payload; what cannot be decoded comes with
    the problem and its bytes in base64. TIME is event time, such as 2024-08-08T12:00 (UTC) or nanoseconds since 1970.
    Exit code 3 where no broker answers.
    """
    from dataflows.topics.tail import Tail, lines  # noqa: PLC0415  # loads librdkafka: no help page

    begin = start or ("latest" if follow else "earliest")
    try:
        for some in lines(settings, Tail(name, begin, follow, instrument, limit)):
            click.echo(some)
    except KeyboardInterrupt:
        return  # the way to end it
    except BrokenPipeError:
        # Nobody reads any more; what Python would still write on its way out goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@click.command("to-topic", short_help="Write tapes to the topic raw.")
@config_option
@click.argument("tapes", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="TAPE...")
@json_option
@muted(CLIENT)
def to_topic(settings: "Settings", tapes: tuple[Path, ...], as_json: bool) -> None:
    """Write the frames of tapes to the topic raw of this deployment, by instrument, receive times included.

    TAPE is a tape (gzip, zstd or plain) or a folder of tapes; several are merged by receive time. A tape that is older
    than the topic keeps is refused. The same tapes written twice are there twice; readers drop the second. Exit code 3
    where no broker answers.
    """
    from dataflows.topics.to_topic import write_tapes  # noqa: PLC0415  # loads librdkafka: no help page
    from sluice.clock import SystemClock  # noqa: PLC0415
    from sluice.config.loading import catalog_of  # noqa: PLC0415
    from sluice.topics.contracts import topic  # noqa: PLC0415

    raw = topic(settings, "raw")
    with progress_bar("Writing", quiet=as_json) as advance:
        made = write_tapes(settings.kafka, raw, catalog_of(settings), tapes, now_ns=SystemClock().now_ns(),
                           advance=advance)
    lines = [f"Wrote {count:,} frames of {key}" for key, count in made.frames.items()] or ["Nothing to write"]
    left = ", ".join(f"{count:,} {reason}" for reason, count in made.left_out.items()) or "nothing"
    emit({"topic": raw.full_name, "frames": made.frames, "messages": made.messages, "left_out": made.left_out}, as_json,
         "\n".join([*lines, f"{made.messages:,} messages to {raw.full_name}; left out: {left}"]))


@click.command("from-topic", short_help="Write an interval of the topic raw as tapes.")
@config_option
@click.option("-o", "--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder to write.")
@click.option("--from", "start", default=None, metavar="TIME", help="First receive time. Default: all that is there.")
@click.option("--to", "end", default=None, metavar="TIME", help="Receive time to end before. Default: the end.")
@click.option("--instrument", "instruments", multiple=True, metavar="KEY", help="Only this one; may be repeated.")
@json_option
@muted(CLIENT)
def from_topic(
    settings: "Settings", out: Path, start: str | None, end: str | None, instruments: tuple[str, ...], as_json: bool
) -> None:
    """Write what the topic raw holds of an interval as tapes, a file an instrument: the lines as they were received.

    TIME is such as 2024-08-08T12:00 (UTC), or nanoseconds since 1970. Frames that the topic holds twice are written
    once. Exit code 3 where no broker answers.
    """
    from dataflows.topics.from_topic import Interval, write_interval  # noqa: PLC0415  # loads librdkafka: no help page
    from dataflows.topics.times import nanoseconds_of  # noqa: PLC0415
    from sluice.topics.administration import TopicAdministration  # noqa: PLC0415
    from sluice.topics.contracts import prefix, topic  # noqa: PLC0415

    whole, raw = Interval(), topic(settings, "raw")
    interval = Interval(nanoseconds_of(start) if start else whole.start_ns,
                        nanoseconds_of(end) if end else whole.end_ns, instruments)
    administration = TopicAdministration(settings.kafka)
    total = administration.messages(administration.look([raw])).get(raw.full_name, 0)
    with progress_bar("Reading", quiet=as_json) as advance:
        made = write_interval(settings.kafka, raw, interval, out, group=f"{prefix(settings)}.from-topic", total=total,
                              advance=advance)
    lines = [f"Wrote {path} ({count:,} frames)" for path, count in made.files.items()] or ["Nothing of that interval"]
    emit({"files": {str(path): count for path, count in made.files.items()}, "repeated": made.repeated,
          "undecodable": made.undecodable}, as_json,
         "\n".join([*lines, f"Left out: {made.repeated:,} repeated frames, {made.undecodable:,} bad messages"]))

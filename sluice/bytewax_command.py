"""The `bytewax` console script, which the bytewax package itself does not install.

`bytewax run dataflows.local:flow -r recovery -s 10` does what `python -m bytewax.run` does, and in addition makes and
initialises the recovery folder, takes fractions of a second, and prints an error as one sentence. It knows nothing of
Sluice's dataflows.
"""

import os
import sys
import traceback
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, NoReturn

import click

from sluice.cli.application import is_debug
from sluice.cli.application import run as run_command
from sluice.errors import InputError


class Seconds(click.ParamType[timedelta]):
    """A length of time in seconds; fractions are welcome."""

    name = "seconds"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """Return the time that a text says."""
        if isinstance(value, timedelta):
            return value
        try:
            seconds = float(value)
        except ValueError:
            seconds = -1.0
        if not 0 <= seconds <= 1e9:
            self.fail(f"must be a number of seconds that is not negative, was {value!r}", param, ctx)
        return timedelta(seconds=seconds)


@click.group()
def bytewax() -> None:
    """Run, draw and prepare Bytewax dataflows."""


@bytewax.command()
@click.argument("flow", metavar="MODULE[:FLOW]")
@click.option("-w", "--workers-per-process", type=click.IntRange(1), envvar="BYTEWAX_WORKERS_PER_PROCESS",
              help="Workers in this process.")
@click.option("-i", "--process-id", type=click.IntRange(0), envvar="BYTEWAX_PROCESS_ID", help="Number of this process.")
@click.option("-a", "--addresses", envvar="BYTEWAX_ADDRESSES", help='All processes: "host:port;host:port".')
@click.option("-r", "--recovery-directory", type=click.Path(path_type=Path, file_okay=False),
              envvar="BYTEWAX_RECOVERY_DIRECTORY", help="Folder of the recovery store; made where it is missing.")
@click.option("-s", "--snapshot-interval", type=Seconds(), default="10", show_default=True,
              envvar="BYTEWAX_SNAPSHOT_INTERVAL", help="Seconds between two snapshots.")
@click.option("-b", "--backup-interval", type=Seconds(), default="0", show_default=True,
              envvar="BYTEWAX_RECOVERY_BACKUP_INTERVAL", help="Seconds that old snapshots are kept.")
def run(  # the options of one command, not a function that anybody calls
    flow: str, workers_per_process: int | None, process_id: int | None, addresses: str | None,
    recovery_directory: Path | None, snapshot_interval: timedelta, backup_interval: timedelta,
) -> None:
    """Run a dataflow, such as `dataflows.local:flow` or `my_flow:make('argument')`."""
    from bytewax.recovery import RecoveryConfig  # noqa: PLC0415  # --help stays quick
    from bytewax.run import cli_main  # noqa: PLC0415

    process_id = process_id if process_id is not None else pod_ordinal(os.environ)
    known = addresses.split(";") if addresses else host_file(os.environ)
    if process_id is not None and known is None:
        raise InputError("addresses must be given with a process id, were not", fix='add -a "host:port;host:port"')
    recovery = None
    if recovery_directory is not None:
        prepare_recovery(recovery_directory, int(os.environ.get("BYTEWAX_RECOVERY_PARTS", "1")))
        recovery = RecoveryConfig(recovery_directory, backup_interval)
    if not is_debug():
        # An exception in a step makes the runtime panic; its own stack says nothing about the step.
        os.environ["RUST_BACKTRACE"] = "0"
    cli_main(locate(flow), workers_per_process=workers_per_process, process_id=process_id, addresses=known,
             epoch_interval=snapshot_interval, recovery_config=recovery)


@bytewax.command()
@click.argument("flow", metavar="MODULE[:FLOW]")
@click.option("-o", "--output-format", type=click.Choice(["mermaid", "plantuml", "json"]), default="mermaid",
              show_default=True, help="What to draw with.")
def visualize(flow: str, output_format: str) -> None:
    """Draw a dataflow."""
    from bytewax import visualize as drawing  # noqa: PLC0415  # --help stays quick

    click.echo(getattr(drawing, f"to_{output_format}")(locate(flow)))


@bytewax.command("init-recovery")
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
@click.argument("partitions", type=click.IntRange(1), default=1)
def init_recovery(directory: Path, partitions: int) -> None:
    """Make a recovery store with a number of PARTITIONS."""
    prepare_recovery(directory, partitions)


def prepare_recovery(directory: Path, partitions: int) -> None:
    """Initialise a recovery folder; one that is initialised already is left as it is."""
    from bytewax.recovery import init_db_dir  # noqa: PLC0415  # --help stays quick

    directory.mkdir(parents=True, exist_ok=True)
    if not any(directory.glob("part-*.sqlite3")):
        init_db_dir(directory, partitions)


def locate(flow: str) -> Any:
    """Import the dataflow that a text such as `package.module:flow` names. Raises `InputError`."""
    # Private names of bytewax, of exactly the version that pyproject.toml pins.
    from bytewax.run import _locate_dataflow, _prepare_import  # noqa: PLC0415

    if (here := str(Path.cwd())) not in sys.path:
        sys.path.insert(0, here)
    module, attribute = _prepare_import(flow)
    try:
        return _locate_dataflow(module, attribute)
    except ModuleNotFoundError as error:
        if not (error.name and (module == error.name or module.startswith(f"{error.name}."))):
            raise
        raise InputError(f"dataflow must name an importable module, was {flow!r}",
                         fix="write package.module:flow, and run in the folder that holds the package") from error
    except (AttributeError, SyntaxError, TypeError, ValueError, RuntimeError) as error:
        if not _raised_by_bytewax(error):
            raise
        raise InputError(f"dataflow must be importable, was not: {error}", fix="write package.module:flow") from error


def _raised_by_bytewax(error: Exception) -> bool:
    # What the flow's own module raises is no mistake of the text that names it.
    innermost = traceback.extract_tb(error.__traceback__)[-1]
    return Path(innermost.filename).parts[-2:] == ("bytewax", "run.py")


def pod_ordinal(environ: Mapping[str, str]) -> int | None:
    """Return the number at the end of a Kubernetes pod's name, which is its process id; None outside a StatefulSet."""
    pod, name = environ.get("BYTEWAX_POD_NAME"), environ.get("BYTEWAX_STATEFULSET_NAME")
    return int(pod.removeprefix(f"{name}-")) if pod and name else None


def host_file(environ: Mapping[str, str]) -> list[str] | None:
    """Return the addresses of all processes out of the file that the Helm chart writes; None where there is none."""
    path = environ.get("BYTEWAX_HOSTFILE_PATH")
    return [line.strip() for line in Path(path).read_text().splitlines() if line.strip()] if path else None


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and leave the process with its exit code."""
    sys.exit(run_command(bytewax, "bytewax", list(sys.argv[1:] if arguments is None else arguments)))

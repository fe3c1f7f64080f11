"""The program around the commands: one place where errors become sentences and exit codes.

| code | meaning |
|---|---|
| 0 | it worked |
| 1 | an error, or the command line was used wrongly |
| 2 | what was named does not exist |
| 3 | a service, database or broker does not run |
| 4 | the configuration is wrong |
| 5 | it took longer than it may |
| 130 | interrupted (Ctrl-C) |
| 143 | asked to end (SIGTERM), and ended in order |

A traceback is printed only with `--debug` or `SLUICE_DEBUG=1`, and for an `InvariantError`, which is a bug of ours.
"""

import os
import signal
import sys
import traceback
from collections.abc import Sequence
from types import FrameType
from typing import Final, NoReturn

import click

from sluice import __version__
from sluice.cli.groups import EntryPointGroup, installed_commands
from sluice.cli.output import emit_error
from sluice.errors import InvariantError, SluiceError

INTERRUPTED: Final = 130
TERMINATED: Final = 143
DEBUG_VARIABLE: Final = "SLUICE_DEBUG"


def root() -> EntryPointGroup:
    """Return the top of the command line with every installed command below it."""
    group = EntryPointGroup(
        "sluice", installed_commands(),
        help="Crypto-futures trading in which no order passes without a signed approval of the risk service.",
        context_settings={"max_content_width": 120},
        params=[click.Option(["--debug"], is_flag=True, expose_value=False, help="Show the traceback of an error.")],
    )
    return click.version_option(__version__, prog_name="sluice")(group)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the `sluice` command line and leave the process with its exit code."""
    signal.signal(signal.SIGTERM, _terminate)  # a command that serves takes the signal itself
    sys.exit(run(root(), "sluice", list(sys.argv[1:] if arguments is None else arguments)))


def _terminate(_number: int, _frame: FrameType | None) -> NoReturn:
    """Unwind, so that what was started is stopped in order."""
    sys.exit(TERMINATED)


def run(command: click.Command, program: str, arguments: list[str]) -> int:
    """Run a command line and return the exit code. Nothing escapes: errors are printed here."""
    # --debug is taken anywhere, because the advice is to run the same line again with it.
    command_line = [argument for argument in arguments if argument != "--debug"]
    if command_line != arguments:
        os.environ[DEBUG_VARIABLE] = "1"
    try:
        result = command.main(args=command_line, prog_name=program, standalone_mode=False)
    except (KeyboardInterrupt, click.Abort):
        click.echo("Interrupted.", err=True)
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001  # the outermost place: what nobody expected ends here
        shown = described(error, program)
        if is_debug() or isinstance(shown, InvariantError):
            traceback.print_exception(error)
        emit_error(shown, as_json="--json" in command_line)
        return shown.exit_code
    return result if isinstance(result, int) else 0


def is_debug() -> bool:
    """Tell whether tracebacks are wanted, by `--debug` or by the environment."""
    return os.environ.get(DEBUG_VARIABLE, "") not in ("", "0")


def described(error: BaseException, program: str) -> SluiceError:
    """Return the error to show for an exception: our own where it is the cause, else one that says what happened."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, SluiceError):
            return cause
        cause = cause.__cause__
    if isinstance(error, click.UsageError):
        path = error.ctx.command_path if error.ctx else program
        return SluiceError(_one_line(error.format_message()), fix=f"see `{path} --help`")
    if isinstance(error, click.ClickException):
        return SluiceError(_one_line(error.format_message()))
    if isinstance(error, OSError) and error.filename and error.strerror:
        return SluiceError(f"{error.filename} must be usable, was not: {error.strerror}",
                           fix="look at the path, its owner and mode, and the space on its disk")
    text = (str(error).splitlines() or ["no message"])[0]
    return SluiceError(f"unexpected {type(error).__name__}: {text}", fix="run again with --debug to see where")


def _one_line(text: str) -> str:
    return " ".join(text.split())

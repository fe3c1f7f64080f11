"""Click groups whose commands are entry points, imported only when they are run.

An entry point's name is the command's path with dots: `serve.risk` is `sluice serve risk`.
"""

import difflib
from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import click

from sluice.cli.catalogue import EXAMPLES, GROUPS, SECTIONS
from sluice.cli.summaries import summary
from sluice.errors import NotFoundError, SluiceError

ENTRY_POINT_GROUP = "sluice.commands"


class EntryPointGroup(click.Group):
    """A group of commands that are imported when they are called."""

    def __init__(self, name: str, points: Mapping[str, EntryPoint], **attributes: Any) -> None:
        super().__init__(name=name, invoke_without_command=True, callback=_show_help, **attributes)
        self._points = dict(points)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        """Return the names of the commands and groups right below this one."""
        return sorted({name.partition(".")[0] for name in self._points})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  # the same
        """Return a command, importing it, or a group without importing any of its commands."""
        if (point := self._points.get(cmd_name)) is not None:
            return load_command(cmd_name, point)
        below = {name.partition(".")[2]: point for name, point in self._points.items()
                 if name.startswith(f"{cmd_name}.")}
        return EntryPointGroup(cmd_name, below, help=GROUPS.get(cmd_name)) if below else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the arguments name. Raises `NotFoundError` with the nearest name."""
        if args and not args[0].startswith("-") and args[0] not in self.list_commands(ctx):
            raise unknown_command(ctx.command_path, args[0], self.list_commands(ctx))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands, on the top page by task. Nothing is imported for it."""
        names = self.list_commands(ctx)
        sections = SECTIONS if ctx.parent is None else {"Commands": tuple(names)}
        others = set(names).difference(*sections.values())
        for title, listed in [*sections.items(), ("More", tuple(sorted(others)))]:
            rows = [(name, self._line(name)) for name in listed if name in names]
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write examples and exit codes below the top page, as they stand."""
        if ctx.parent is None:
            formatter.write(f"\n{EXAMPLES}")

    def _line(self, name: str) -> str:
        point = self._points.get(name)
        return (summary(point) or "") if point else GROUPS.get(name, "")


@click.pass_context
def _show_help(context: click.Context, /, **_options: object) -> None:
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


def unknown_command(path: str, name: str, known: list[str]) -> NotFoundError:
    """Return the error for a command that does not exist, with the nearest that does."""
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean `{path} {near[0]}`?" if near else f"see `{path} --help`"
    return NotFoundError(f"command must be one of {', '.join(known)}, was {name!r}", fix=hint)


def load_command(name: str, point: EntryPoint) -> click.Command:
    """Import the command of an entry point. Raises `SluiceError` where its room cannot be imported."""
    try:
        command = point.load()
    except (ImportError, AttributeError) as error:
        raise SluiceError(
            f"command {name!r} must be importable from {point.value}, was not: {error}",
            fix="install the project again with `make setup`") from error
    if not isinstance(command, click.Command):
        raise SluiceError(f"command {name!r} must be a click command, was {type(command).__name__}")
    return command


def installed_commands() -> dict[str, EntryPoint]:
    """Return every registered command by its dotted name."""
    return {point.name: point for point in entry_points(group=ENTRY_POINT_GROUP)}

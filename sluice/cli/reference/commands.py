"""The command line's page, out of the commands' own help."""

from collections.abc import Iterator

import click

from sluice.cli.application import __doc__ as application_doc
from sluice.cli.application import root
from sluice.cli.catalogue import SECTIONS


def command_page() -> str:
    """Return the page in Markdown: every command with its arguments and options, by task."""
    top = root()
    parts = ["# Command line", "", _exit_codes()]
    with click.Context(top, info_name="sluice") as context:
        for title, names in SECTIONS.items():
            parts += [f"## {title}", ""]
            for name in names:
                if (command := top.get_command(context, name)) is not None:
                    parts += _entries(command, name, context)
    return "\n".join(parts)


def _exit_codes() -> str:
    text = (application_doc or "").split("\n", 2)[2]
    return f"Errors go to standard error as `Error:` and `Fix:` lines, with `--json` as JSON.\n\n{text}"


def _entries(command: click.Command, name: str, parent: click.Context) -> Iterator[str]:
    with click.Context(command, info_name=name, parent=parent) as context:
        if isinstance(command, click.Group):
            for inner_name in command.list_commands(context):
                if (inner := command.get_command(context, inner_name)) is not None:
                    yield from _entries(inner, inner_name, context)
            return
        yield f"### {context.command_path}\n"
        yield f"{' '.join((command.help or '').split())}\n"
        yield f"```\n{' '.join([context.command_path, *command.collect_usage_pieces(context)])}\n```\n"
        yield from _options(command, context)


def _options(command: click.Command, context: click.Context) -> Iterator[str]:
    records = [record for parameter in command.get_params(context) if (record := parameter.get_help_record(context))]
    yield "| option | meaning |\n|---|---|"
    for names, meaning in records:
        cells = (f"`{names}`", " ".join(meaning.split()))
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
    yield ""

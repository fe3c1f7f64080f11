"""A command as a plug-in would bring it."""

import click

NOT_A_COMMAND = 1


@click.command()
def extra() -> None:
    """Do something extra."""
    click.echo("extra done")

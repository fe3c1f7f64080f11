"""The commands `sluice stores migrate` and `sluice stores check`."""

from typing import TYPE_CHECKING

import click

from sluice.cli.options import config_option, json_option
from sluice.cli.output import emit

if TYPE_CHECKING:
    from sluice.config.settings import Settings


@click.command(short_help="Bring the archive's tables up to date.")
@config_option
@json_option
def migrate(settings: "Settings", as_json: bool) -> None:
    """Make or change the tables of this namespace's archive in PostgreSQL; a second time changes nothing.

    Several at once are safe. Risk and execution bring their own tables up to date when they start. Exit code 3 where
    PostgreSQL does not answer, 4 where a file that was applied has changed since.
    """
    from dataflows.sinks.postgres.archive import migrate_archive  # noqa: PLC0415  # loads psycopg: no help page
    from sluice.stores.embedded import stores  # noqa: PLC0415

    with stores(settings) as urls:
        applied = migrate_archive(urls.postgres_url, settings.run.namespace)
    lines = [f"applied {name}" for name in applied] or ["The archive's tables are up to date."]
    emit({"applied": applied}, as_json, "\n".join(lines))


@click.command(short_help="Tell whether the archive's tables are up to date.")
@config_option
@json_option
@click.pass_context
def check(context: click.Context, settings: "Settings", as_json: bool) -> None:
    """Tell which migrations are missing and how days are kept: TimescaleDB's hypertables or daily partitions.

    Changes nothing. Exit code 1 where a migration is missing, 3 where PostgreSQL does not answer, 4 where a file that
    was applied has changed since.
    """
    from dataflows.sinks.postgres.archive import look  # noqa: PLC0415  # loads psycopg: no help page
    from sluice.stores.embedded import stores  # noqa: PLC0415

    with stores(settings) as urls:
        state = look(urls.postgres_url, settings.run.namespace)
    told = [f"{name} is missing: run `sluice stores migrate`" for name in state.missing]
    told += [f"{name} is applied" for name in state.applied]
    data = {"missing": state.missing, "applied": state.applied, "days": state.days}
    emit(data, as_json, "\n".join([*told, f"Days are kept as {state.days}."]))
    context.exit(1 if state.missing else 0)

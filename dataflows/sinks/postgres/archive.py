"""The archive's schema as a whole: bringing it up to date, and telling how it is."""

from dataclasses import dataclass

from dataflows.indicators.schema import MARKET_SCHEMA, FeatureSchema
from dataflows.indicators.schemas import FULL_SCHEMA
from dataflows.sinks.postgres import MIGRATIONS, ROOM
from sluice.stores import migrations
from sluice.stores.postgres import Connection, connect_sync, schema_of


@dataclass(frozen=True, slots=True)
class ArchiveState:
    """Names of migrations that are missing and applied, and how days are kept, in words."""

    missing: list[str]
    applied: list[str]
    days: str


def migrate_archive(url: str, namespace: str) -> list[str]:
    """Apply what is missing and return the names of the files. Raises as `sluice.stores.migrations.migrate` does."""
    schema = schema_of(namespace, ROOM)
    applied = migrations.migrate(url, schema, MIGRATIONS)
    with connect_sync(url, schema) as connection:
        for known in (MARKET_SCHEMA, FULL_SCHEMA):
            name_columns(connection, known)
    return applied


def name_columns(connection: Connection, schema: FeatureSchema) -> None:
    """Tell the archive the names of a schema's features, so that queries find a value by its name."""
    with connection.cursor() as cursor:
        cursor.executemany("INSERT INTO feature_columns (schema_hash, position, feature) VALUES (%s, %s, %s) "
                           "ON CONFLICT DO NOTHING",
                           [(schema.hash, place, name) for place, name in enumerate(schema.features, 1)])


def look(url: str, namespace: str) -> ArchiveState:
    """Tell how the archive is, changing nothing. Raises as `sluice.stores.migrations.applied` does."""
    schema = schema_of(namespace, ROOM)
    with connect_sync(url, schema) as connection:
        known, applied = migrations.load(MIGRATIONS), migrations.applied(connection)
        missing = [each.name for each in migrations.plan(known, applied)]
        return ArchiveState(missing, sorted(applied), _days(connection))


def _days(connection: Connection) -> str:
    found = connection.execute("SELECT current_setting('timescaledb.license', true) FROM pg_extension "
                               "WHERE extname = 'timescaledb'").fetchone()
    if found is None:
        return "daily partitions (no TimescaleDB)"
    return "compressed hypertables" if found[0] == "timescale" else "hypertables (licence without compression)"

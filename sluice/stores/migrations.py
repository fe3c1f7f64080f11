"""Brings a schema up to date with a package's SQL files.

A package holds `NNN_name.sql` files, applied once each in the order of their numbers, each in one transaction together
with its record. An applied file never changes and never disappears: both are refused, as is a new file whose number is
not after the last one applied. It does not go back: undoing is a new file.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources

import psycopg
from psycopg import sql

from sluice.errors import ConfigurationError, DeadlineError
from sluice.stores.postgres import Connection, connect_sync

LOCK_TIMEOUT_S = 60
_FILE = re.compile(r"(\d{3})_[a-z0-9_]+\.sql")
_TABLE = """
CREATE TABLE IF NOT EXISTS schema_migrations (
    name text PRIMARY KEY,
    sha256 text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One SQL file."""

    name: str
    text: str

    @property
    def sha256(self) -> str:
        """Return the checksum of the text in hexadecimal."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def migrate(url: str, schema: str, package: str) -> list[str]:
    """Apply what is missing and return the names of the files applied now.

    `package` is a Python package with the SQL files, e.g. `risk.migrations`. Safe when several processes do it at once:
    the second waits. Raises ConfigurationError where a file was changed, removed, slipped in or refused by the
    database, DeadlineError where another process holds the lock, NotRunningError where the database does not answer.
    """
    migrations = load(package)
    with connect_sync(url, schema) as connection:
        _lock(connection, schema)
        connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(schema)))
        connection.execute(_TABLE)
        missing = plan(migrations, applied(connection))
        for migration in missing:
            _apply(connection, migration, schema)
        return [migration.name for migration in missing]


def applied(connection: Connection) -> dict[str, str]:
    """Return the names and checksums of what a schema has had; nothing where it was never migrated."""
    found = connection.execute("SELECT to_regclass('schema_migrations')").fetchone()
    if found is None or found[0] is None:
        return {}
    return dict(connection.execute("SELECT name, sha256 FROM schema_migrations").fetchall())


def load(package: str) -> list[Migration]:
    """Read a package's migrations in order. Raises ConfigurationError where a name or number is wrong."""
    try:
        files = [each for each in resources.files(package).iterdir() if each.name.endswith(".sql")]
    except ModuleNotFoundError:
        raise ConfigurationError([f"the package {package} must exist to migrate, was not found"]) from None
    migrations = [Migration(each.name, each.read_text(encoding="utf-8")) for each in files]
    return ordered(migrations)


def ordered(migrations: Sequence[Migration]) -> list[Migration]:
    """Return the migrations by number. Raises ConfigurationError where one has no number or two have the same."""
    wrong = sorted(each.name for each in migrations if not _FILE.fullmatch(each.name))
    if wrong:
        raise ConfigurationError([f"a migration must be called NNN_name.sql, was {name}" for name in wrong])
    by_number: dict[str, Migration] = {}
    for each in migrations:
        other = by_number.setdefault(each.name[:3], each)
        if other.name != each.name:
            raise ConfigurationError(
                [f"a migration's number must be its own, was shared by {other.name} and {each.name}"])
    return [by_number[number] for number in sorted(by_number)]


def plan(migrations: Sequence[Migration], applied: Mapping[str, str]) -> list[Migration]:
    """Return what is still to be applied. `applied` maps names to checksums. Raises ConfigurationError."""
    known = {each.name: each.sha256 for each in migrations}
    problems = [f"migration {name} must be the one applied ({applied[name][:12]}), was changed to {known[name][:12]}"
                for name in sorted(applied) if name in known and known[name] != applied[name]]
    problems += [f"migration {name} must still exist, because the database has it, was not found"
                 for name in sorted(applied) if name not in known]
    missing = [each for each in migrations if each.name not in applied]
    last = max(applied, default="")
    problems += [f"migration {each.name} must come after {last}, which is applied, was before it"
                 for each in missing if each.name < last]
    if problems:
        raise ConfigurationError(problems, fix="restore the files as they were applied; add a new file for a change")
    return missing


def _lock(connection: Connection, schema: str) -> None:
    connection.execute("SELECT set_config('lock_timeout', %s, false)", (f"{LOCK_TIMEOUT_S}s",))
    try:  # held until the connection is closed
        connection.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", (f"sluice migrations {schema}",))
    except psycopg.errors.LockNotAvailable:
        raise DeadlineError(f"the migrations of {schema} must be free within {LOCK_TIMEOUT_S} s, were locked",
                            fix="end the other process that is migrating") from None


def _apply(connection: Connection, migration: Migration, schema: str) -> None:
    try:
        with connection.transaction():
            connection.execute(migration.text.encode())  # bytes: several statements, no parameters
            connection.execute("INSERT INTO schema_migrations (name, sha256) VALUES (%s, %s)",
                               (migration.name, migration.sha256))
    except psycopg.Error as error:
        reason = " ".join(str(error).split())
        raise ConfigurationError([f"migration {migration.name} must apply to {schema}, was refused: {reason}"],
                                 fix="check the database account's rights and the PostgreSQL version") from None

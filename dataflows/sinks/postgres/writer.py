"""Writes rows into the archive's tables in batches, each row once however often it comes.

A batch goes by binary COPY straight into its table, which is what nearly every batch allows. One that has a key that
is there already goes into a temporary table instead, and from there where the key is new. A batch is one transaction:
after an error nothing of it is there, and it may be written again. A partition of a day is made when the first row of
the day comes.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Final, Self

import psycopg

from dataflows.sinks.postgres import ROOM
from dataflows.sinks.postgres.rollups import MINUTE_NS, TOUCHED, roll_up
from dataflows.sinks.postgres.rows import BARS, FEATURES, BarRow, FeatureRow, Table, day_of, start_of
from sluice.errors import InputError, NotRunningError
from sluice.stores.postgres import Connection, connect_sync, schema_of

# Two writers of an instrument's bars would each make a minute of what the other does not see yet.
_LOCK: Final = """
SELECT pg_advisory_xact_lock(key) FROM (
    SELECT DISTINCT hashtextextended(current_schema || ' ' || instrument, 0) AS key
    FROM unnest(%s::text[]) AS instrument ORDER BY key
) AS keys"""
_ADD: Final = "INSERT INTO {name} ({columns}) SELECT {columns} FROM new_{name} ON CONFLICT DO NOTHING"


class PostgresWriter:
    """A connection to the archive's schema that takes batches. One thread at a time."""

    def __init__(self, connection: Connection) -> None:
        """Take a connection to a schema that has been migrated."""
        self._connection = connection
        self._days: set[tuple[str, int]] = set()
        self._partitioned = _partitioned(connection)
        for table in (BARS, FEATURES):
            connection.execute(
                f"CREATE TEMPORARY TABLE new_{table.name} (LIKE {table.name}) ON COMMIT DELETE ROWS".encode())
        connection.execute(TOUCHED)

    @classmethod
    def open(cls, url: str, namespace: str) -> Self:
        """Connect to a namespace's archive.

        Raises NotRunningError where the database does not answer, InputError where the tables are not there.
        """
        connection = connect_sync(url, schema_of(namespace, ROOM))
        try:
            return cls(connection)
        except psycopg.errors.UndefinedTable:
            connection.close()
            raise InputError(f"the archive of {namespace} must have its tables, had none",
                             fix="run `sluice stores migrate`") from None

    @property
    def backend(self) -> int:
        """Return the process of the server that serves this writer, as `pg_stat_activity` lists it."""
        return self._connection.info.backend_pid

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def write_bars(self, rows: Sequence[BarRow]) -> int:
        """Store bars of 1 s and the longer ones they are part of; return how many were new.

        Raises NotRunningError where the database is away, InputError where it refuses a row.
        """
        minutes = {(row.instrument, row.start_ns // MINUTE_NS) for row in rows}
        with self._batch(BARS, rows):
            self._connection.execute(_LOCK, (sorted({instrument for instrument, _ in minutes}),))
            new = self._add(BARS, rows)
            if new:
                roll_up(self._connection, minutes)
        return new

    def write_features(self, rows: Sequence[FeatureRow]) -> int:
        """Store feature rows; return how many were new. Raises as `write_bars` does."""
        with self._batch(FEATURES, rows):
            return self._add(FEATURES, rows)

    def _add(self, table: Table, rows: Sequence[BarRow] | Sequence[FeatureRow]) -> int:
        with suppress(psycopg.errors.UniqueViolation), self._connection.transaction():
            copy_rows(self._connection, table, table.name, rows)
            return len(rows)
        copy_rows(self._connection, table, f"new_{table.name}", rows)
        statement = _ADD.format(name=table.name, columns=", ".join(table.columns))
        return self._connection.execute(statement.encode()).rowcount

    @contextmanager
    def _batch(self, table: Table, rows: Sequence[BarRow] | Sequence[FeatureRow]) -> Iterator[None]:
        try:
            self._make_days(table, {day_of(table.time_ns(row)) for row in rows})
            with self._connection.transaction():
                yield
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            raise NotRunningError(f"PostgreSQL must take a batch of {table.name}, was away: {_line(error)}",
                                  fix="start it; the batch may be written again") from None
        except psycopg.Error as error:
            raise InputError(f"rows of {table.name} must be as its columns are, were refused: {_line(error)}") from None

    def _make_days(self, table: Table, days: set[int]) -> None:
        for day in sorted(days):
            if self._partitioned and (table.name, day) not in self._days:
                _make_day(self._connection, table.name, day)
            self._days.add((table.name, day))


def copy_rows(connection: Connection, table: Table, into: str, rows: Sequence[BarRow] | Sequence[FeatureRow]) -> None:
    """Copy rows in binary into a table with the columns of `table`."""
    statement = f"COPY {into} ({', '.join(table.columns)}) FROM STDIN (FORMAT binary)"
    with connection.cursor() as cursor, cursor.copy(statement.encode()) as copy:
        copy.set_types(table.types)
        for row in rows:
            copy.write_row(table.fields(row))


def _partitioned(connection: Connection) -> bool:
    found = connection.execute("SELECT relkind FROM pg_class WHERE oid = %s::regclass", (BARS.name,)).fetchone()
    return found is not None and found[0] == "p"


def _make_day(connection: Connection, name: str, day: int) -> None:
    start, end = start_of(day), start_of(day + 1)
    partition = f"{name}_{start:%Y%m%d}"
    with connection.transaction():  # IF NOT EXISTS alone fails where two make it at once
        connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(current_schema || %s, 0))", (partition,))
        connection.execute(f"CREATE TABLE IF NOT EXISTS {partition} PARTITION OF {name} "
                           f"FOR VALUES FROM ('{start.isoformat()}') TO ('{end.isoformat()}')".encode())


def _line(error: Exception) -> str:
    return " ".join(str(error).split())

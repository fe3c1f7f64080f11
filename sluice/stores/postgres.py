"""Connections to PostgreSQL: one schema a namespace and room, clear errors, no password in any message.

It holds no pool: a service writes its journal from one task, in order, over one connection.
"""

import re
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import TupleRow

from sluice.errors import ConfigurationError, InputError, NotRunningError
from sluice.stores.urls import redacted

CONNECT_TIMEOUT_S = 5
AsyncConnection = psycopg.AsyncConnection[TupleRow]
Connection = psycopg.Connection[TupleRow]
_SCHEMA = re.compile(r"[a-z][a-z0-9_]{0,62}")  # 63 bytes is PostgreSQL's longest identifier
_SET_SEARCH_PATH = "SELECT set_config('search_path', %s, false)"


def schema_of(namespace: str, room: str) -> str:
    """Return the schema of a room's tables, `<namespace>_<room>`."""
    return checked_schema(f"{namespace}_{room}")


def checked_schema(schema: str) -> str:
    """Return the name unchanged. Raises InputError where it needs quoting or is too long."""
    if not _SCHEMA.fullmatch(schema):
        raise InputError(f"a schema must be lower-case letters, digits and _, at most 63, was {schema!r}",
                         fix="choose a shorter or simpler run.namespace")
    return schema


async def connect(url: str, schema: str) -> AsyncConnection:
    """Connect with autocommit on; use `async with connection.transaction()` for what must be atomic.

    Unqualified names mean the schema's tables. Raises NotRunningError where the server does not answer and
    ConfigurationError where the URL cannot be read.
    """
    parameters = _parameters(url, checked_schema(schema))
    try:
        connection = await psycopg.AsyncConnection.connect(**parameters)
        await connection.execute(_SET_SEARCH_PATH, (schema,))
    except psycopg.OperationalError as error:
        raise _not_running(url, error) from None
    return connection


def connect_sync(url: str, schema: str) -> Connection:
    """Do the same without asyncio."""
    parameters = _parameters(url, checked_schema(schema))
    try:
        connection = psycopg.Connection.connect(**parameters)
        connection.execute(_SET_SEARCH_PATH, (schema,))
    except psycopg.OperationalError as error:
        raise _not_running(url, error) from None
    return connection


def _parameters(url: str, schema: str) -> dict[str, Any]:
    try:
        given = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        raise ConfigurationError(
            [f"stores.postgres_url must read postgresql://user:password@host:port/database, was {redacted(url)}"],
            fix="correct stores.postgres_url, or leave it empty for an embedded server") from None
    defaults = {"application_name": f"sluice {schema}", "connect_timeout": CONNECT_TIMEOUT_S, "keepalives_idle": 30}
    return {**defaults, **given, "autocommit": True}


def _not_running(url: str, error: psycopg.OperationalError) -> NotRunningError:
    reason = " ".join(str(error).split())
    password = conninfo_to_dict(url).get("password")
    if password:
        reason = reason.replace(str(password), "***")
    return NotRunningError(f"PostgreSQL must answer at {redacted(url)}, was not reachable: {reason}",
                           fix="start it, or correct stores.postgres_url; leave it empty for an embedded server")

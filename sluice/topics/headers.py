"""The headers of every message: what it holds, since when, and the trace that it is part of. All are ASCII text.

| header | what it says |
|---|---|
| `schema` | the payload's protobuf message |
| `version` | the version of the contract's schema that the writer knew |
| `event_time_ns` | event time in nanoseconds since 1970; the message's own timestamp is the same in milliseconds |
| `traceparent` | W3C Trace Context, where the writer had one |
"""

from collections.abc import Iterable
from typing import Final

from sluice.errors import InputError
from sluice.topics.contracts import Contract

SCHEMA: Final = "schema"
VERSION: Final = "version"
EVENT_TIME: Final = "event_time_ns"
TRACE: Final = "traceparent"

Headers = list[tuple[str, bytes]]


def headers_of(contract: Contract, event_time_ns: int, traceparent: str = "") -> Headers:
    """Return the headers of a message."""
    made = [(SCHEMA, contract.payload.encode()), (VERSION, str(contract.schema_version).encode()),
            (EVENT_TIME, str(event_time_ns).encode())]
    return [*made, (TRACE, traceparent.encode())] if traceparent else made


def event_time_of(headers: Iterable[tuple[str, bytes | None]], otherwise_ns: int) -> int:
    """Return the event time that headers state, in nanoseconds; `otherwise_ns` where they state none."""
    text = value_of(headers, EVENT_TIME)
    return int(text) if text.isascii() and text.isdigit() else otherwise_ns


def check(headers: Iterable[tuple[str, bytes | None]], contract: Contract) -> None:
    """Raise InputError where a message is none that we can read: of another schema, or of a newer version."""
    headers = list(headers)
    schema, version = value_of(headers, SCHEMA), value_of(headers, VERSION)
    if schema != contract.payload:
        raise InputError(f"a message of {contract.name} must be {contract.payload}, was {schema or 'not named'!r}")
    if not (version.isascii() and version.isdigit()) or int(version) > contract.schema_version:
        raise InputError(f"a message of {contract.name} must be of version {contract.schema_version} or older, "
                         f"was {version or 'not named'!r}", fix="update what reads it first, then what writes it")


def value_of(headers: Iterable[tuple[str, bytes | None]], name: str) -> str:
    """Return a header's text; empty where there is none, or no text."""
    for key, value in headers:
        if key == name and isinstance(value, bytes):
            return value.decode(errors="replace")
    return ""

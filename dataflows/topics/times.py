"""Points in time as people write them. Reads no clock."""

from datetime import UTC, datetime, timedelta
from typing import Final

from sluice.errors import InputError

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND_NS: Final = 1_000_000_000
_LATEST_NS: Final = 2**63 - 1


def nanoseconds_of(text: str) -> int:
    """Return a time of ISO 8601 (UTC where it names no zone), or of digits alone, in nanoseconds since 1970.

    Raises InputError.
    """
    if text.isascii() and text.isdigit():
        found = int(text)
    else:
        try:
            time = datetime.fromisoformat(text)
        except ValueError:
            raise _unreadable(text) from None
        found = ((time if time.tzinfo else time.replace(tzinfo=UTC)) - _EPOCH) // timedelta(microseconds=1) * 1_000
    if not 0 <= found <= _LATEST_NS:
        raise _unreadable(text)
    return found


def text_of(time_ns: int) -> str:
    """Return a time in nanoseconds since 1970 as ISO 8601 in UTC, to the nanosecond: `2024-08-08T12:00:00.000000001Z`.

    Beyond the year 9999 it is the number.
    """
    seconds, rest = divmod(time_ns, _SECOND_NS)
    try:
        return f"{_EPOCH + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%S}.{rest:09}Z"
    except OverflowError:
        return str(time_ns)


def _unreadable(text: str) -> InputError:
    return InputError(f"a time must be ISO 8601 or nanoseconds since 1970, was {text!r}",
                      fix="write it as 2024-08-08T12:00 (UTC), or as 2024-08-08T14:00+02:00")

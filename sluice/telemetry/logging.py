r"""Log lines of one form on standard error: time (UTC), level, logger, message, and fields as `name=value`.

A line break in a message or a traceback becomes `\n`, so that one event is one line and nothing from outside can forge
a second one. Fields are given as `extra={"fields": {...}}`.
"""

import logging
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

_PLAIN = str.maketrans({"\n": "\\n", "\r": "\\r", "\x1b": "\\x1b"})
_NOISY = ("asyncio", "grpc", "bytewax", "picows")


class LineFormatter(logging.Formatter):
    """Writes a record as one line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, without a line break at its end."""
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        fields: Mapping[str, Any] = getattr(record, "fields", {})
        parts = [moment, record.levelname, record.name, record.getMessage()]
        parts += [f"{name}={_quoted(str(value))}" for name, value in fields.items()]
        if record.exc_info:
            parts.append(f"traceback={_quoted(self.formatException(record.exc_info))}")
        return " ".join(parts).translate(_PLAIN)


def _quoted(value: str) -> str:
    return '"' + value.replace('"', "'") + '"' if not value or any(each in value for each in ' ="\n') else value


def configure(level: str = "INFO") -> None:
    """Send the process's log lines of this level and above to standard error. A second call replaces the first."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LineFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in _NOISY:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLogger().level))

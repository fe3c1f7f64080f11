"""The writer of tapes: one line a frame, `<receive ns> <raw JSON>`, compressed as the file's suffix says.

The bytes of a file depend on what was written alone: no file name, no time of writing. It does not check the JSON,
which is a recording of what came, good or bad.
"""

import gzip
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self, cast

import zstandard

from sluice.errors import InputError

_GZIP_LEVEL = 4
_ZSTD_LEVEL = 6
_BUFFER_BYTES = 256 * 1024


class TapeWriter:
    """Writes a tape: gzip for `.gz`, zstd for `.zst`, else plain text. Use it as a context manager.

    Raises `InputError` where the file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lines: list[bytes] = []
        self._size = 0
        try:
            self._raw: BinaryIO = path.open("wb")
        except OSError as error:
            raise InputError(f"a tape must be writable, was {str(path)!r}: {error.strerror}") from error
        self._file = _compressed(self._raw, path.suffix)

    def write(self, receive_time_ns: int, payload: bytes) -> None:
        """Append a frame. Raises `InputError` for a time or a payload that a reader would refuse as a line."""
        if not 0 <= receive_time_ns < 2**63:
            raise InputError(f"a receive time must be from 0 to 2^63-1 nanoseconds, was {receive_time_ns}")
        if not payload or b"\n" in payload:
            raise InputError(f"a payload must be one line that is not empty, was {payload[:40]!r}")
        self._lines.append(b"%d %b\n" % (receive_time_ns, payload))
        self._size += len(payload)
        if self._size >= _BUFFER_BYTES:
            self._flush()

    def close(self) -> None:
        """Write what is left and close the file."""
        self._flush()
        if self._file is not self._raw:
            self._file.close()
        self._raw.close()

    def _flush(self) -> None:
        self._file.write(b"".join(self._lines))
        self._lines, self._size = [], 0

    def __enter__(self) -> Self:
        """Return the writer."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file, so that what was written before an error can be read."""
        self.close()


def _compressed(raw: BinaryIO, suffix: str) -> BinaryIO:
    if suffix == ".gz":
        return cast(BinaryIO, gzip.GzipFile(filename="", mode="wb", compresslevel=_GZIP_LEVEL, fileobj=raw, mtime=0))
    if suffix == ".zst":
        return cast(BinaryIO, zstandard.ZstdCompressor(level=_ZSTD_LEVEL).stream_writer(raw, closefd=False))
    return raw

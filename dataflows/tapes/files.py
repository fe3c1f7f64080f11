"""Finding tapes and reading their lines: gzip, zstd or plain text, told apart by their first bytes.

A file is never whole in memory. One that ends early or is damaged gives every line before the damage and then raises
`TapeDamagedError` with what is left.
Lines are not parsed here.
"""

import contextlib
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Protocol

import zstandard

from sluice.errors import InputError, NotFoundError

#: Files of a folder that are tapes.
TAPE_SUFFIXES = frozenset({".gz", ".zst", ".jsonl", ".txt", ".tape", ".log"})
#: A line longer than this is no frame of any venue. What is beyond is thrown away while reading.
MAX_LINE_BYTES = 16 * 1024 * 1024
#: Bytes of decompressed text that are split into lines at once.
BLOCK_BYTES = 512 * 1024

_GZIP_MAGIC = b"\x1f\x8b"
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
#: Compressed bytes a step: small, so that a hostile file cannot unfold to gigabytes in one call.
_STEP_BYTES = 16 * 1024
_DAMAGES = (zlib.error, zstandard.ZstdError)


#: Is told how many bytes of a file were read.
OnRead = Callable[[int], None]


class TapeDamagedError(Exception):
    """The file ends early or cannot be decompressed further. `tail` is the beginning of a line that was cut off."""

    def __init__(self, message: str, tail: bytes = b"") -> None:
        super().__init__(message)
        self.tail = tail


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, /) -> bytes: ...


def find_tapes(paths: Sequence[Path]) -> list[Path]:
    """Return the tape files of paths, in their order; a folder stands for the tapes directly in it, by name.

    A file that is named twice is read once. Raises `NotFoundError` for a path that does not exist and `InputError`
    where there is no tape at all.
    """
    if not paths:
        raise InputError("a tape must be named, was nothing", fix="give a tape file or a folder of tapes")
    found: dict[Path, Path] = {}
    for path in paths:
        for tape in _tapes_of(path):
            found.setdefault(tape.resolve(), tape)
    return list(found.values())


def _tapes_of(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise NotFoundError(f"a tape must exist, was {str(path)!r}", fix="make one with `sluice tape make -o FOLDER`")
    tapes = sorted(p for p in path.iterdir() if p.suffix in TAPE_SUFFIXES and p.is_file())
    if not tapes:
        wanted = ", ".join(sorted(TAPE_SUFFIXES))
        raise InputError(f"a folder of tapes must hold files such as *{wanted}, was {str(path)!r} without any")
    return tapes


def read_lines(path: Path, block_bytes: int = BLOCK_BYTES, on_read: OnRead | None = None) -> Iterator[list[bytes]]:
    """Yield the lines of a tape, without their line ends, in lists of about `block_bytes`; see `read_texts`."""
    for text in read_texts(path, block_bytes, on_read):
        lines = text.split(b"\n")
        yield lines if lines[-1] else lines[:-1]


def read_texts(path: Path, block_bytes: int = BLOCK_BYTES, on_read: OnRead | None = None) -> Iterator[bytes]:
    """Yield the text of a tape in pieces of about `block_bytes`: whole lines, of which only the last may lack its end.

    `on_read` is told how many bytes of the file were read, step by step. A line over `MAX_LINE_BYTES` comes one byte
    longer than that and no more. Raises `TapeDamagedError` after the last
    whole line of a damaged file, `InputError` where the file cannot be opened.
    """
    splitter = _Splitter(block_bytes)
    try:
        for chunk in _chunks(path, on_read or _nobody):
            if text := splitter.feed(chunk):
                yield text
    except TapeDamagedError as damage:
        if text := splitter.flush():
            yield text
        damage.tail = splitter.tail
        raise
    if text := splitter.flush() + splitter.tail:
        yield text


class _Splitter:
    """Cuts chunks into whole lines; keeps the line that has not ended yet, up to its longest length."""

    def __init__(self, block_bytes: int) -> None:
        self._block_bytes = block_bytes
        self._chunks: list[bytes] = []
        self._size = 0
        self.tail = b""

    def feed(self, chunk: bytes) -> bytes:
        """Take a chunk; return the lines that are whole once a block is full, else nothing."""
        self._chunks.append(chunk)
        self._size += len(chunk)
        return self.flush() if self._size >= self._block_bytes else b""

    def flush(self) -> bytes:
        """Return every whole line that was fed and not returned yet."""
        text = b"".join((self.tail, *self._chunks))
        end = text.rfind(b"\n") + 1
        self.tail = text[end : end + MAX_LINE_BYTES + 1]
        self._chunks, self._size = [], 0
        return text[:end]


def _nobody(_size: int) -> None:
    """Tell nobody."""


def _chunks(path: Path, on_read: OnRead) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            make = _decompressor_of(file.read(4))
            file.seek(0)
            if make is None:
                yield from _steps(file, 8 * _STEP_BYTES, on_read)
            else:
                yield from _decompressed(file, make, on_read)
    except OSError as error:
        raise InputError(f"a tape must be readable, was {str(path)!r}: {error.strerror}") from error


def _steps(file: BinaryIO, size: int, on_read: OnRead) -> Iterator[bytes]:
    while raw := file.read(size):
        on_read(len(raw))
        yield raw


def _decompressor_of(head: bytes) -> Callable[[], _Decompressor] | None:
    """Tell the compression by the first bytes; a file cut inside its magic bytes is a compressed one too."""
    if head and (head.startswith(_GZIP_MAGIC) or _GZIP_MAGIC.startswith(head)):
        return lambda: zlib.decompressobj(wbits=31)
    if head and (head.startswith(_ZSTD_MAGIC) or _ZSTD_MAGIC.startswith(head)):
        return lambda: zstandard.ZstdDecompressor(max_window_size=2**27).decompressobj()
    return None


def _decompressed(file: BinaryIO, make: Callable[[], _Decompressor], on_read: OnRead) -> Iterator[bytes]:
    """Decompress member after member: a recorder that was restarted appends a new one."""
    decoder, member, position = make(), 0, 0
    for step in _steps(file, _STEP_BYTES, on_read):
        raw = step
        end = position + len(raw)
        while raw:
            if decoder.eof:
                decoder, member = make(), end - len(raw)
            try:
                yield decoder.decompress(raw)
            except _DAMAGES as error:
                yield from _salvaged(file, make(), member, end - len(raw), raw)
                message = f"a compressed tape must be whole, was damaged near byte {position}: {error}"
                raise TapeDamagedError(message) from error
            raw = decoder.unused_data if decoder.eof else b""
        position = end
    if not decoder.eof:
        raise TapeDamagedError(f"a compressed tape must be whole, was cut off at byte {position}")


def _salvaged(file: BinaryIO, decoder: _Decompressor, member: int, start: int, raw: bytes) -> Iterator[bytes]:
    """Yield what a step that failed held before its damage: go to the same place again, then on byte by byte."""
    file.seek(member)
    for begin in range(member, start, _STEP_BYTES):
        decoder.decompress(file.read(min(_STEP_BYTES, start - begin)))
    with contextlib.suppress(*_DAMAGES):
        for index in range(len(raw)):
            yield decoder.decompress(raw[index : index + 1])

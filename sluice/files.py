"""Writing a file that others may read at any time, or that this process may not live to finish."""

import os
from pathlib import Path


def replace_file(path: Path, content: bytes, *, private: bool = False) -> None:
    """Put content in the place of a file at once: a reader finds the old content or the new, never half of it.

    A private file is for its owner alone and on the disk before it has its name, so that a power cut does not leave an
    empty one. One writer at a time. The file beside it, with the suffix `.tmp`, is used on the way.
    """
    temporary = path.with_suffix(".tmp")
    if private:
        _write_private(temporary, content)
    else:
        temporary.write_bytes(content)
    temporary.replace(path)


def _write_private(path: Path, content: bytes) -> None:
    path.unlink(missing_ok=True)  # one that a killed process left keeps the mode that it had
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())

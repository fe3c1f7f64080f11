"""Writing a file that others may read at any time, or that this process may not live to finish."""

from pathlib import Path


def replace_file(path: Path, content: bytes) -> None:
    """Put content in the place of a file at once: a reader finds the old content or the new, never half of it.

    One writer at a time. The file beside it, with the suffix `.tmp`, is used on the way.
    """
    temporary = path.with_suffix(".tmp")
    temporary.write_bytes(content)
    temporary.replace(path)

"""Which source files a compiled kernel is made of: its own and, all the way down, those that it imports.

Only `dataflows` and the kernel's own package count, whether or not an import is used by a kernel: to compile once too
often costs seconds, to run old code costs money. Imports inside functions are not followed; no kernel has one.
"""

import hashlib
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

_IMPORT = re.compile(rb"^(?:from ([\w.]+) import (\([^)]*\)|[^\n]*)|import ([\w.]+))", re.MULTILINE)
_NAME = re.compile(rb"\w+")


def sources_of(source: Path, root: Path) -> list[Path]:
    """Return a file and all files that it imports from packages in a root folder, sorted."""
    packages = {"dataflows", _place(source, root).parts[0]}
    found: set[Path] = set()
    waiting = [source]
    while waiting:
        if (path := waiting.pop()) not in found:
            found.add(path)
            waiting += (file for file in _imported(path, root) if file.relative_to(root).parts[0] in packages)
    return sorted(found)


@cache
def digest_of(source: Path, root: Path) -> str:
    """Return a digest, 16 hexadecimal digits, of what `sources_of` names: paths and contents.

    It is kept until `forget()`, for a file has many kernels.
    """
    digest = hashlib.sha256()
    for path in sources_of(source, root):
        digest.update(_place(path, root).as_posix().encode() + b"\0" + _content(path))
    return digest.hexdigest()[:16]


def forget() -> None:
    """Read the files anew the next time."""
    digest_of.cache_clear()
    _content.cache_clear()
    _imported.cache_clear()


def _place(path: Path, root: Path) -> Path:
    return path.relative_to(root) if path.is_relative_to(root) else path


@cache
def _content(path: Path) -> bytes:
    return path.read_bytes()


@cache
def _imported(path: Path, root: Path) -> tuple[Path, ...]:
    return tuple(_files(_content(path), root))


def _files(content: bytes, root: Path) -> Iterator[Path]:
    """Find the file of each module that is imported; a name that is imported from a package may be a module too."""
    for module, names, plain in _IMPORT.findall(content):
        place = root.joinpath(*(module or plain).decode().split("."))
        candidates = [place.with_suffix(".py"), place / "__init__.py"]
        candidates += [place / f"{name.decode()}.py" for name in _NAME.findall(names)]
        candidates += [place / name.decode() / "__init__.py" for name in _NAME.findall(names)]
        yield from (file for file in candidates if file.is_file())

"""The first line of a command's docstring, read from its source without importing it, so that help pages stay quick."""

import ast
import importlib.util
from importlib.metadata import EntryPoint
from pathlib import Path


def summary(point: EntryPoint) -> str | None:
    """Return the first line of the docstring of an entry point's function; None where it is no plain function."""
    path = _source(point.module)
    if path is None:
        return None
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError):
        return None
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == point.attr:
            text = ast.get_docstring(node)
            return text.splitlines()[0] if text else None
    return None


def _source(module: str) -> Path | None:
    package, *inner = module.split(".")
    # Only the top-level package is looked up by the import system: finding a module below it would import its parents.
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return None
    for folder in spec.submodule_search_locations:
        place = Path(folder, *inner)
        for candidate in (place.with_suffix(".py"), place / "__init__.py"):
            if candidate.is_file():
                return candidate
    return None

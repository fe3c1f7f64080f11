from pathlib import Path

import pytest

from dataflows import kernel_sources
from dataflows.kernel_sources import sources_of
from dataflows.kernels import cache_folder, cache_root

ROOT = Path(kernel_sources.__file__).parent.parent
FILES = {
    "dataflows/__init__.py": "",
    "dataflows/kernels.py": "import numba",
    "dataflows/book/__init__.py": "from dataflows.book.sides import best",
    "dataflows/book/sides.py": "from dataflows.kernels import kernel",
    "dataflows/book/sync.py": "from dataflows.book import (\n    sides,\n)\nimport dataflows.kernels",
    "dataflows/bars.py": "from dataflows.kernels import kernel",
    "risk/engine.py": "from dataflows import bars",
}


def names(source: Path, root: Path) -> list[str]:
    return [path.relative_to(root).as_posix() for path in sources_of(source, root)]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_a_kernel_is_made_of_its_file_and_of_all_that_it_imports_all_the_way_down(checkout: Path) -> None:
    assert names(checkout / "dataflows/book/sync.py", checkout) == [
        "dataflows/book/__init__.py", "dataflows/book/sides.py", "dataflows/book/sync.py", "dataflows/kernels.py"]


@pytest.mark.parametrize(("changed", "compiled_again"), [("book/sides.py", True), ("bars.py", False)])
def test_compiled_code_is_not_reused_when_a_kernel_that_it_calls_has_changed(
    checkout: Path, changed: str, compiled_again: bool,
) -> None:
    def folder() -> Path:
        kernel_sources.forget()
        return cache_folder(checkout / "dataflows/book/sync.py", {"NUMBA_CACHE_DIR": "/cache"}, checkout)

    before = folder()
    (checkout / "dataflows" / changed).write_text("from dataflows.kernels import kernel  # changed")
    assert (folder() != before) is compiled_again
    (checkout / "dataflows" / changed).write_text(FILES[f"dataflows/{changed}"])
    assert folder() == before
    assert before.parent == Path("/cache")


def test_a_kernel_of_a_file_outside_the_checkout_goes_by_that_file_too(checkout: Path, tmp_path: Path) -> None:
    outside = tmp_path.parent / "own.py"
    outside.write_text("from dataflows.book.sides import best")
    assert {path.name for path in sources_of(outside, checkout)} >= {"own.py", "sides.py"}


def test_everything_that_the_market_kernels_call_counts() -> None:
    called = {"dataflows/book/sync.py", "dataflows/book/state.py", "dataflows/bars.py", "dataflows/kernels.py"}
    assert set(names(ROOT / "dataflows/actors/market_kernels.py", ROOT)) > called


def test_compiled_code_is_kept_in_the_users_cache_when_nothing_else_is_said() -> None:
    assert cache_root({"XDG_CACHE_HOME": "/home/x/c"}) == Path("/home/x/c/sluice/kernels")
    assert cache_root({}) == Path.home() / ".cache" / "sluice" / "kernels"

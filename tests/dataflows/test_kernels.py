from pathlib import Path

from dataflows.kernels import cache_folder


def test_compiled_code_is_not_reused_when_a_kernel_in_another_file_has_changed(tmp_path: Path) -> None:
    (tmp_path / "book").mkdir()
    source = tmp_path / "book" / "sides.py"
    folders = []
    for text in ("a = 1", "a = 2", "a = 1"):
        source.write_text(text)
        folders.append(cache_folder(tmp_path, {"NUMBA_CACHE_DIR": "/cache"}))
    assert folders[0] != folders[1]
    assert folders[0] == folders[2]
    assert folders[0].parent == Path("/cache")


def test_compiled_code_is_kept_in_the_users_cache_when_nothing_else_is_said(tmp_path: Path) -> None:
    assert cache_folder(tmp_path, {"XDG_CACHE_HOME": "/home/x/c"}).parent == Path("/home/x/c/sluice/kernels")
    assert cache_folder(tmp_path, {}).parent == Path.home() / ".cache" / "sluice" / "kernels"

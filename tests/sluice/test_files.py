"""A replaced file is never seen half written."""

from pathlib import Path
from threading import Thread

import pytest

from sluice.files import replace_file


def test_content_takes_the_place_of_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "statistics.json"
    for content in (b"first", b"", b"second"):
        replace_file(path, content)
        assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


def test_a_reader_finds_the_old_content_or_the_new_and_nothing_else(tmp_path: Path) -> None:
    path, contents = tmp_path / "big", [letter * 1_000_000 for letter in (b"a", b"b")]
    replace_file(path, contents[0])

    def write_all() -> None:
        for turn in range(50):
            replace_file(path, contents[turn % 2])

    writer = Thread(target=write_all)
    writer.start()
    seen = []
    while writer.is_alive():
        seen.append(path.read_bytes())
    assert all(found in contents for found in seen)


def test_what_was_there_stays_where_the_writing_fails(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    replace_file(path, b"old")
    (tmp_path / "keys.tmp").mkdir()
    with pytest.raises(IsADirectoryError):
        replace_file(path, b"new")
    assert path.read_bytes() == b"old"

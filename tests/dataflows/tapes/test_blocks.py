"""Blocks of arrays hold the very lines, times and verdicts of the blocks of lists."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflows.codecs.quick_frame import TAIL_BYTES
from dataflows.tapes.blocks import read_frame_blocks
from dataflows.tapes.lines import Problem, read_blocks, read_head
from tests.dataflows.tapes.helpers import DATA, START_NS, line, needs_data, write

Line = tuple[int, bytes, Problem | None, str]


def by_lists(path: Path) -> Iterator[Line]:
    for block in read_blocks(path, read_head(path)):
        for index, (time, payload) in enumerate(zip(block.times, block.payloads, strict=True)):
            yield time, payload, block.problems.get(index), block.symbol_hint


def by_arrays(path: Path, block_bytes: int = 512 * 1024) -> Iterator[Line]:
    for block in read_frame_blocks(path, read_head(path), block_bytes):
        assert len(block.times_ns) == len(block.starts) == len(block.ends) > 0
        assert int(block.ends[-1]) <= block.buffer.size - TAIL_BYTES
        for index, time in enumerate(block.times_ns.tolist()):
            assert block.buffer[block.ends[index]] < ord(" ")
            yield time, block.payload(index), block.problems.get(index), block.symbol_hint


DAY_NS = 24 * 3_600 * 1_000_000_000
OFFSETS = st.one_of(st.integers(0, 9), st.sampled_from([DAY_NS, DAY_NS + 1, 400 * DAY_NS, -5, 9 * 10**18 - START_NS]))
LINES = st.one_of(
    st.builds(line, OFFSETS, st.sampled_from([b'{"s":"BTCUSDT"}', b'{"s":"BTCUSDT"}', b'{"s":"ETHUSDT"}', b"{}", b""])),
    st.sampled_from([b"", b" ", b"5 {}", b"x", b"0 {}", b"%d" % START_NS, b"%d  " % START_NS, b"9" * 19 + b" {}"]),
    st.binary(max_size=30),
)


@settings(max_examples=150)
@given(st.lists(LINES, max_size=12), st.integers(1, 120), st.booleans())
def test_lines_times_and_verdicts_are_those_of_the_lists_whatever_the_size_of_the_blocks(
    lines: list[bytes], block_bytes: int, ends: bool,
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.txt"
        path.write_bytes(b"\n".join(lines) + b"\n" * ends)
        assert list(by_arrays(path, block_bytes)) == list(by_lists(path))


def test_a_damaged_file_gives_its_lines_and_its_truncation(tmp_path: Path) -> None:
    whole = write(tmp_path / "a.gz", [line(n, b'{"n":%d}' % n) for n in range(40)]).read_bytes()
    path = tmp_path / "b.gz"
    for cut in range(1, len(whole), 7):
        path.write_bytes(whole[:cut])
        assert list(by_arrays(path)) == list(by_lists(path))


def test_a_line_that_is_too_long_is_one_dead_letter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("lines", "files", "blocks"):
        monkeypatch.setattr(f"dataflows.tapes.{module}.MAX_LINE_BYTES", 1000)
    sizes = [975, 980, 981, 50_000, 1]
    path = write(tmp_path / "a.gz", [line(at, b"x" * size) for at, size in enumerate(sizes)])
    found = list(by_arrays(path, 64))
    assert [problem is None for _, _, problem, _ in found] == [True, True, False, False, True]
    assert found == list(by_lists(path))


@needs_data("ticks")
def test_every_line_of_a_recorded_tape_is_the_same() -> None:
    path = DATA / "ticks" / "usdm_ethusdt_20240808.gz"
    found = list(by_arrays(path))
    assert len(found) == 74_655
    assert found == list(by_lists(path))

"""Blocks of arrays hold the very lines, times and verdicts that `lines` finds line by line, in the merged order."""

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflows.codecs import quick_frame
from dataflows.deadletters import DeadLetterReason
from dataflows.tapes.blocks import TAIL_BYTES, FrameBlock, read_frame_blocks
from dataflows.tapes.files import TapeDamagedError, read_lines
from dataflows.tapes.lines import Place, Problem, parse_lines, read_head, split_at_foreign
from dataflows.tapes.merging import merged_blocks
from tests.dataflows.tapes.helpers import DATA, START_NS, line, needs_data, write

Line = tuple[int, bytes, Problem | None, str]


def by_lists(path: Path) -> Iterator[Line]:
    head = read_head(path)
    place, lines = Place(head.first_time_ns), list[bytes]()
    cut: list[tuple[bytes, Problem]] = []
    try:
        for some in read_lines(path):
            lines += some
    except TapeDamagedError as damage:
        problem = Problem(DeadLetterReason.TRUNCATED_FILE, f"{path.name}: {damage}", 0)
        cut = [(damage.tail, problem)]
    own, foreign = split_at_foreign(lines, head.symbol_hint) if head.symbol_hint else (lines, [])
    for part, hint in ((own, head.symbol_hint), (foreign, "")):
        found = parse_lines(part, place)
        for index, (time, payload) in enumerate(zip(found.times, found.payloads, strict=True)):
            yield time, payload, found.problems.get(index), hint
    yield from ((place.latest, tail, problem, "") for tail, problem in cut)


def of_blocks(blocks: Iterable[FrameBlock]) -> Iterator[Line]:
    for block in blocks:
        assert len(block.times_ns) == len(block.starts) == len(block.ends) == len(block.hints) == len(block) > 0
        assert int(block.ends.max()) <= block.buffer.size - TAIL_BYTES
        assert block.payloads() == [block.payload(index) for index in range(len(block))]
        for index, time in enumerate(block.times_ns.tolist()):
            assert block.buffer[block.ends[index]] < ord(" ")
            yield time, block.payload(index), block.problems.get(index), block.hints[index]


def by_arrays(path: Path, block_bytes: int = 512 * 1024) -> Iterator[Line]:
    return of_blocks(read_frame_blocks(path, read_head(path), block_bytes))


def test_the_tail_is_as_long_as_the_reader_of_frames_asks_for() -> None:
    assert TAIL_BYTES == quick_frame.TAIL_BYTES


DAY_NS = 24 * 3_600 * 1_000_000_000
OFFSETS = st.one_of(st.integers(0, 9), st.sampled_from([DAY_NS, DAY_NS + 1, 400 * DAY_NS, -5, 9 * 10**18 - START_NS]))
LINES = st.one_of(
    st.builds(line, OFFSETS, st.sampled_from([b'{"s":"BTCUSDT"}', b'{"s":"BTCUSDT"}', b'{"s":"ETHUSDT"}', b"{}", b""])),
    st.sampled_from([b'"s":"BTCUSDT"', b's":"ETHUSDT"', b'"s":"BTCUSDT"s":"BTCUSDT"', b'"s":"', b'"s":"BTCUSDTX"']),
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


@settings(max_examples=100)
@given(st.lists(st.lists(LINES, max_size=8), min_size=2, max_size=3), st.integers(1, 120))
def test_entries_of_several_files_come_by_time_then_file_then_line(files: list[list[bytes]], block_bytes: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        paths = [write(Path(folder) / f"{at}.txt", lines) for at, lines in enumerate(files)]
        expected = sorted((found for path in paths for found in by_lists(path)), key=lambda found: found[0])
        blocks = list(merged_blocks(paths, block_bytes))
        assert list(of_blocks(blocks)) == expected
        numbers = [number for block, before in with_lines_before(blocks) for number in block.numbers(before).tolist()]
        assert numbers == list(range(1, len(expected) + 1))


def with_lines_before(blocks: list[FrameBlock]) -> Iterator[tuple[FrameBlock, int]]:
    before = 0
    for block in blocks:
        yield block, before
        before += block.lines


def test_a_truncation_has_no_number_and_takes_none(tmp_path: Path) -> None:
    whole = write(tmp_path / "a.gz", [line(0), line(1)]).read_bytes()
    (tmp_path / "a.gz").write_bytes(whole[:-8])
    write(tmp_path / "b.gz", [line(0), line(1), line(2)])
    blocks = list(merged_blocks([tmp_path / "a.gz", tmp_path / "b.gz"], 512 * 1024))
    numbers = np.concatenate([block.numbers(before) for block, before in with_lines_before(blocks)])
    assert numbers.tolist() == [1, 2, 3, 0, 4, 5]
    assert sum(block.lines for block in blocks) == 5


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

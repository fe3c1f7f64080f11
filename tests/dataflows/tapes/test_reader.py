"""The reader gives every line exactly once, in the order of time, whatever is wrong with the file."""

import gzip
import tempfile
from pathlib import Path

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflows.deadletters import DeadLetter, DeadLetterReason
from dataflows.tapes.frames import Frame
from dataflows.tapes.reader import TapeReader, symbols
from sluice.errors import InputError, NotFoundError
from tests.dataflows.tapes.helpers import DATA, START_NS, line, needs_data, read, reasons, write

RECORDED = {
    "usdm_btcusdt_20240808.gz": 93_954,
    "usdm_ethusdt_20240808.gz": 74_655,
    "cm_btcusd_perp_20240808.gz": 48_270,
    "cm_btcusd_perp_20240809.gz": 50_116,
}
SNAPSHOT = b'{"lastUpdateId":7,"bids":[],"asks":[]}'


def test_every_line_of_a_file_is_a_frame_with_its_number_time_and_payload(tmp_path: Path) -> None:
    tape = write(tmp_path / "a.txt", [line(0, b'{"a":1}'), line(0, b'{"b": 2} '), line(5, b"[]")])
    assert read(tape) == [
        Frame(1, START_NS, b'{"a":1}'),
        Frame(2, START_NS, b'{"b": 2} '),
        Frame(3, START_NS + 5, b"[]"),
    ]


def test_the_last_line_counts_when_it_has_no_line_end(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(line(0) + b"\n" + line(1))
    assert reasons(read(tmp_path / "a.txt")) == ["frame", "frame"]


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        b" ",
        b"no time",
        b"-5 {}",
        b"12.5 {}",
        str(START_NS).encode(),
        b"%d " % START_NS,
        b"9" * 19 + b" {}",
        b"\x00\xff",
    ],
)
def test_a_line_without_time_and_payload_is_a_dead_letter_and_the_rest_is_read(tmp_path: Path, bad: bytes) -> None:
    items = read(write(tmp_path / "a.txt", [line(0), bad, line(1)]))
    assert reasons(items) == ["frame", "MALFORMED_LINE", "frame"]
    assert [item.sequence for item in items] == [1, 2, 3]
    assert items[1].payload == bad


def test_a_time_that_goes_back_is_a_dead_letter_and_an_equal_one_is_not(tmp_path: Path) -> None:
    items = read(write(tmp_path / "a.txt", [line(10), line(9), line(10), line(11)]))
    assert reasons(items) == ["frame", "TIME_REVERSED", "frame", "frame"]
    assert items[1].receive_time_ns == START_NS + 9


DAY_NS = 24 * 3_600 * 1_000_000_000
FAR_NS = 7_258_118_400_000_000_000 - START_NS  # the year 2200


@pytest.mark.parametrize("at", [0, 1, 2])
def test_a_time_far_ahead_is_one_dead_letter_and_the_rest_is_read(tmp_path: Path, at: int) -> None:
    lines = [line(0), line(1), line(2), line(3)]
    items = read(write(tmp_path / "a.txt", [*lines[:at], line(FAR_NS), *lines[at:]]))
    assert reasons(items) == [*["frame"] * at, "TIME_JUMPED", *["frame"] * (4 - at)]
    assert items[at].receive_time_ns == START_NS + FAR_NS


def test_a_time_far_ahead_does_not_become_good_by_being_repeated_now_and_then(tmp_path: Path) -> None:
    items = read(write(tmp_path / "a.txt", [line(0), line(1), line(FAR_NS), line(2), line(FAR_NS), line(3)]))
    assert reasons(items) == ["frame", "frame", "TIME_JUMPED", "frame", "TIME_JUMPED", "frame"]


def test_a_recording_that_paused_for_days_costs_one_line_and_goes_on(tmp_path: Path) -> None:
    later = [line(3 * DAY_NS), b"bad", line(3 * DAY_NS + 1), line(3 * DAY_NS + 2)]
    items = read(write(tmp_path / "a.txt", [line(0), line(1), *later, line(5)]))
    assert reasons(items) == ["frame", "frame", "TIME_JUMPED", "MALFORMED_LINE", "frame", "frame", "TIME_REVERSED"]


def test_a_pause_of_exactly_a_day_costs_nothing(tmp_path: Path) -> None:
    assert reasons(read(write(tmp_path / "a.txt", [line(0), line(0), line(DAY_NS)]))) == ["frame"] * 3


def test_a_time_of_zero_at_the_head_is_a_dead_letter_and_the_rest_is_read(tmp_path: Path) -> None:
    items = read(write(tmp_path / "a.txt", [b"0 {}", line(0), line(1)]))
    assert reasons(items) == ["TIME_REVERSED", "frame", "frame"]


def test_files_are_merged_by_time_then_file_then_line(tmp_path: Path) -> None:
    one = write(tmp_path / "one.txt", [line(0, b"a"), line(5, b"b"), line(5, b"c"), line(9, b"d")])
    two = write(tmp_path / "two.gz", [line(0, b"e"), line(3, b"f"), line(5, b"g"), line(20, b"h")])
    assert [item.payload for item in read(one, two)] == [b"a", b"e", b"f", b"b", b"c", b"g", b"d", b"h"]
    assert [item.payload for item in read(two, one)] == [b"e", b"a", b"f", b"g", b"b", b"c", b"d", b"h"]


def test_a_bad_line_stands_after_the_line_before_it_when_files_are_merged(tmp_path: Path) -> None:
    one = write(tmp_path / "one.txt", [line(5, b"a"), b"bad", line(9, b"b")])
    two = write(tmp_path / "two.txt", [line(4, b"c"), line(6, b"d")])
    assert [item.payload for item in read(one, two)] == [b"c", b"a", b"bad", b"d", b"b"]


hours = st.sampled_from([0, 20, 30, 24 * 365 * 100]).map(lambda count: count * 3_600_000_000_000)
times = st.lists(st.builds(int.__add__, st.integers(0, 30), st.just(0) | hours), max_size=25)


@settings(max_examples=60, deadline=None)
@given(times, times, times, st.integers(1, 200), st.integers(0, 80))
def test_items_are_the_same_whatever_the_block_size_and_the_place_of_a_skip(
    one: list[int], two: list[int], three: list[int], block_bytes: int, skip: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        paths = [
            write(Path(folder) / f"{name}.txt", [line(t, b'{"s":"%d"}' % (i // 20)) for i, t in enumerate(offsets)])
            for name, offsets in enumerate((one, two, three))
        ]
        whole = read(*paths)
        assert len(whole) == len(one) + len(two) + len(three)
        assert read(*paths, block_bytes=block_bytes) == whole
        assert read(*paths, block_bytes=block_bytes, skip=skip) == whole[skip:]
    assert [item.sequence for item in whole] == list(range(1, len(whole) + 1))
    frames = [item.receive_time_ns for item in whole if isinstance(item, Frame)]
    assert frames == sorted(frames)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=400))
def test_arbitrary_bytes_become_one_item_a_line(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.txt"
        path.write_bytes(b"x" + content)
        lines = (b"x" + content).split(b"\n")
        assert len(read(path)) == len(lines) - (lines[-1] == b"")


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_a_file_cut_at_any_byte_gives_its_first_lines_and_one_truncation(tmp_path: Path, suffix: str) -> None:
    lines = [line(n, b'{"n":%d}' % n) for n in range(40)]
    text = b"".join(one + b"\n" for one in lines)
    whole = gzip.compress(text) if suffix == ".gz" else zstandard.compress(text)
    path = tmp_path / f"a{suffix}"
    path.write_bytes(whole)
    expected = read(path)
    assert len(expected) == 40
    for cut in range(1, len(whole)):
        path.write_bytes(whole[:cut])
        items = read(path)
        assert items[:-1] == expected[: len(items) - 1]
        last = items[-1]
        assert isinstance(last, DeadLetter)
        assert (last.reason, last.sequence) == (DeadLetterReason.TRUNCATED_FILE, 0)


def test_a_damaged_file_is_read_up_to_the_damage_beside_whole_ones(tmp_path: Path) -> None:
    damaged = bytearray(gzip.compress(b"".join(line(n) + b"\n" for n in range(10))))
    damaged[-6] ^= 1  # the checksum
    (tmp_path / "a.gz").write_bytes(damaged)
    whole = write(tmp_path / "b.txt", [line(4), line(20)])
    assert reasons(read(tmp_path / "a.gz", whole)) == ["frame"] * 11 + ["TRUNCATED_FILE", "frame"]


def test_garbage_after_the_compressed_part_is_told_and_a_second_member_is_read(tmp_path: Path) -> None:
    first, second = (gzip.compress(line(n) + b"\n") for n in range(2))
    (tmp_path / "a.gz").write_bytes(first + second + b"garbage")
    assert reasons(read(tmp_path / "a.gz")) == ["frame", "frame", "TRUNCATED_FILE"]


def test_a_skip_passes_a_truncation_but_for_one_right_at_its_place(tmp_path: Path) -> None:
    cut = gzip.compress(b"".join(line(n) + b"\n" for n in range(3)))[:-1]
    (tmp_path / "a.gz").write_bytes(cut)
    later = write(tmp_path / "b.txt", [line(50), line(51)])
    assert reasons(read(tmp_path / "a.gz", later, skip=3)) == ["TRUNCATED_FILE", "frame", "frame"]
    assert [item.sequence for item in read(tmp_path / "a.gz", later, skip=4)] == [5]
    reader = TapeReader([tmp_path / "a.gz", later])
    reader.skip(3, truncations=1)
    assert reasons(list(reader)) == ["frame", "frame"]


def test_a_line_that_is_too_long_is_a_small_dead_letter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("lines", "files", "blocks"):
        monkeypatch.setattr(f"dataflows.tapes.{module}.MAX_LINE_BYTES", 1000)
    tape = write(tmp_path / "a.gz", [line(0), line(1, b"x" * 50_000), line(2)])
    items = read(tape, block_bytes=64)
    assert reasons(items) == ["frame", "MALFORMED_LINE", "frame"]
    assert len(items[1].payload) == 512


def test_frames_carry_the_one_symbol_of_their_file(tmp_path: Path) -> None:
    tape = write(
        tmp_path / "a.txt", [line(0, b'{"s":"BTCUSDT"}'), line(1, SNAPSHOT), line(2, b'{"k":{"s":"BTCUSDT"}}')]
    )
    assert [item.symbol_hint for item in read(tape) if isinstance(item, Frame)] == ["BTCUSDT"] * 3


def test_a_snapshot_is_not_attributed_where_the_file_names_several_symbols(tmp_path: Path) -> None:
    tape = write(tmp_path / "a.txt", [line(0), line(1, SNAPSHOT), line(2, b'{"s":"ETHUSDT"}')])
    assert {item.symbol_hint for item in read(tape) if isinstance(item, Frame)} == {""}


@pytest.mark.parametrize("block_bytes", [1, 700, 100_000_000])
def test_the_symbol_is_dropped_from_the_line_on_that_names_a_second_one(tmp_path: Path, block_bytes: int) -> None:
    lines = [line(n) for n in range(1500)] + [line(1500, b'{"s":"ETHUSDT"}'), line(1501, SNAPSHOT)]
    hints = [
        i.symbol_hint for i in read(write(tmp_path / "a.gz", lines), block_bytes=block_bytes) if isinstance(i, Frame)
    ]
    assert hints == ["BTCUSDT"] * 1500 + ["", ""]


def test_symbols_are_those_of_all_frames(tmp_path: Path) -> None:
    write(tmp_path / "a.gz", [line(0), line(1, b'{"symbol":"BTCUSD_PERP","pair":"BTCUSD"}')])
    write(tmp_path / "b.txt", [line(n, b'{"ps":"BTCUSD","S":"SELL","s":"ETHUSDT"}') for n in range(3000)])
    assert symbols([tmp_path]) == {"BTCUSDT", "BTCUSD_PERP", "ETHUSDT"}


def test_a_folder_stands_for_its_tapes_by_name_and_a_file_named_twice_is_read_once(tmp_path: Path) -> None:
    write(tmp_path / "b.txt", [line(0, b"b")])
    write(tmp_path / "a.gz", [line(0, b"a")])
    (tmp_path / "notes.md").write_text("no tape")
    assert [item.payload for item in read(tmp_path, tmp_path / "b.txt")] == [b"a", b"b"]


def test_what_is_no_tape_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="must exist"):
        TapeReader([tmp_path / "missing.gz"])
    with pytest.raises(InputError, match="must hold files"):
        TapeReader([tmp_path])
    with pytest.raises(InputError, match="must be named"):
        TapeReader([])


def test_an_empty_file_has_no_lines(tmp_path: Path) -> None:
    assert read(write(tmp_path / "a.txt", []), write(tmp_path / "b.gz", [])) == []


@pytest.mark.parametrize("name", RECORDED)
@needs_data("ticks")
def test_a_recorded_tape_has_as_many_frames_as_lines(name: str) -> None:
    items = read(DATA / "ticks" / name)
    assert reasons(items) == ["frame"] * RECORDED[name]


@needs_data("ticks")
def test_recorded_tapes_are_merged_in_the_order_of_time() -> None:
    items = read(DATA / "ticks")
    assert len(items) == sum(RECORDED.values())
    times = [item.receive_time_ns for item in items]
    assert times == sorted(times)

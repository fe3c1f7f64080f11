"""What is written to a tape is read back, and the same frames make the same bytes."""

import contextlib
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflows.tapes.frames import Frame
from dataflows.tapes.lines import LONGEST_JUMP_NS
from dataflows.tapes.writer import TapeWriter
from sluice.errors import InputError
from tests.dataflows.tapes.helpers import START_NS, read

payloads = st.binary(min_size=1, max_size=80).filter(lambda payload: b"\n" not in payload)
frames = st.lists(st.tuples(st.integers(0, LONGEST_JUMP_NS), payloads), max_size=30)


def record(path: Path, rows: list[tuple[int, bytes]]) -> Path:
    with TapeWriter(path) as writer:
        for offset, payload in rows:
            writer.write(START_NS + offset, payload)
    return path


@settings(max_examples=60, deadline=None)
@given(frames, st.sampled_from([".gz", ".zst", ".txt"]))
def test_what_was_written_in_order_is_read_back(rows: list[tuple[int, bytes]], suffix: str) -> None:
    ordered = sorted(rows, key=lambda row: row[0])
    with tempfile.TemporaryDirectory() as folder:
        items = read(record(Path(folder) / f"a{suffix}", ordered))
    expected = [Frame(n, START_NS + offset, payload) for n, (offset, payload) in enumerate(ordered, start=1)]
    assert [(i.sequence, i.receive_time_ns, i.payload) for i in items] == [
        (i.sequence, i.receive_time_ns, i.payload) for i in expected
    ]


@pytest.mark.parametrize("suffix", [".gz", ".zst", ".txt"])
def test_the_same_frames_make_the_same_bytes_at_another_time_and_place(tmp_path: Path, suffix: str) -> None:
    rows = [(n, b'{"n":%d}' % n) for n in range(20_000)]
    first = record(tmp_path / f"a{suffix}", rows).read_bytes()
    time.sleep(1.1)  # gzip keeps seconds
    assert record(tmp_path / f"another{suffix}", rows).read_bytes() == first


@pytest.mark.parametrize(("receive_time_ns", "payload"), [(-1, b"{}"), (2**63, b"{}"), (1, b""), (1, b"a\nb")])
def test_a_frame_that_would_not_be_one_line_is_refused(tmp_path: Path, receive_time_ns: int, payload: bytes) -> None:
    with TapeWriter(tmp_path / "a.gz") as writer, pytest.raises(InputError, match="must be"):
        writer.write(receive_time_ns, payload)


def test_what_was_written_before_an_error_can_be_read(tmp_path: Path) -> None:
    with contextlib.suppress(RuntimeError), TapeWriter(tmp_path / "a.zst") as writer:
        writer.write(START_NS, b"{}")
        raise RuntimeError
    assert [item.payload for item in read(tmp_path / "a.zst")] == [b"{}"]


def test_a_folder_that_is_missing_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="must be writable"):
        TapeWriter(tmp_path / "missing" / "a.gz")

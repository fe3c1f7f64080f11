"""The tape source: every line routed once, ticks between, and a resume that changes nothing."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflows.deadletters import DeadLetter
from dataflows.sources.tape import DEAD_LETTERS, Routed, TapeSource
from dataflows.tapes.frames import Frame
from dataflows.tapes.writer import TapeWriter
from dataflows.ticks import Tick
from sluice.instruments import InstrumentCatalog

SECOND = 1_000_000_000
START = 1_700_000_000 * SECOND
CATALOG = InstrumentCatalog.shipped().select(["BINANCE_USDM:BTCUSDT", "BINANCE_USDM:ETHUSDT"])
LINES = [
    b'{"stream":"btcusdt@trade","data":{"e":"trade","s":"BTCUSDT"}}',
    b'{"stream":"ethusdt@trade","data":{"e":"trade","s":"ETHUSDT"}}',
    b'{"stream":"dogeusdt@trade","data":{"e":"trade","s":"DOGEUSDT"}}',
    b"no json at all",
    b'{"result":null,"id":1}',
]


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five kinds of line, 60 of them, 150 ms apart."""
    path = tmp_path_factory.mktemp("tape") / "tape.gz"
    with TapeWriter(path) as writer:
        for index in range(60):
            writer.write(START + index * 150_000_000, LINES[index % len(LINES)])
    return path


def a_source(tape: Path, batch_lines: int) -> TapeSource:
    return TapeSource([tape], CATALOG, interval_ns=SECOND, batch_lines=batch_lines)


def drained(source: TapeSource, *, stop_after: int | None = None) -> tuple[list[Routed], object]:
    part = source.build_part("in", "tape", None)
    return emitted(part.next_batch, stop_after), part.snapshot()


def emitted(next_batch: object, batches: int | None = None) -> list[Routed]:
    items: list[Routed] = []
    while batches is None or batches > 0:
        try:
            items.extend(next_batch())  # type: ignore[operator]
        except StopIteration:
            break
        batches = None if batches is None else batches - 1
    return items


def test_every_line_is_a_frame_of_its_instrument_or_a_dead_letter(tape: Path) -> None:
    items, _ = drained(a_source(tape, 7))
    frames = [(key, value) for key, (_, value) in items if isinstance(value, Frame)]
    letters = [(key, value) for key, (_, value) in items if isinstance(value, DeadLetter)]
    assert (len(frames), len(letters)) == (24, 36)
    assert {key for key, _ in frames} == {"BINANCE_USDM:BTCUSDT", "BINANCE_USDM:ETHUSDT"}
    assert {key for key, _ in letters} == {DEAD_LETTERS}
    numbers = [value.sequence for _, value in frames] + [value.sequence for _, value in letters]
    assert sorted(numbers) == list(range(1, 61))
    assert {letter.reason.name for _, letter in letters} == {"UNKNOWN_INSTRUMENT", "MALFORMED_JSON", "UNKNOWN_EVENT"}


def test_every_instrument_gets_every_tick_and_the_last_one_closes_the_tape(tape: Path) -> None:
    items, _ = drained(a_source(tape, 1000))
    ticks = [(key, value) for key, (_, value) in items if isinstance(value, Tick)]
    times = [START + second * SECOND for second in range(1, 10)]
    assert [tick.time_ns for key, tick in ticks if key.endswith("BTCUSDT")] == times
    assert [tick.time_ns for key, tick in ticks if key.endswith("ETHUSDT")] == times
    assert [tick.last for _, tick in ticks] == [False] * 16 + [True] * 2
    assert ticks[-1][1].lines == 60
    assert sum(count for _, count in ticks[-1][1].dead_letters) == 36


@given(batch_lines=st.integers(1, 70), stop_after=st.integers(0, 30), other=st.integers(1, 70))
def test_batches_and_a_resume_anywhere_change_nothing(
    tape: Path, batch_lines: int, stop_after: int, other: int
) -> None:
    whole, _ = drained(a_source(tape, 1000))
    first, state = drained(a_source(tape, batch_lines), stop_after=stop_after)
    second = a_source(tape, other).build_part("in", "tape", state)  # type: ignore[arg-type]
    assert [*first, *emitted(second.next_batch)] == whole


def test_a_requested_stop_ends_the_stream_where_a_snapshot_can_go_on(tape: Path) -> None:
    source = a_source(tape, 10)
    part = source.build_part("in", "tape", None)
    first = list(part.next_batch())
    source.request_stop()
    with pytest.raises(StopIteration):
        part.next_batch()
    rest = a_source(tape, 10).build_part("in", "tape", part.snapshot())
    whole, _ = drained(a_source(tape, 10))
    assert [*first, *emitted(rest.next_batch)] == whole

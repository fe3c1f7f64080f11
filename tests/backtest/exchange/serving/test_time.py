"""Pace, timelines, and shifting the times inside frames."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest.exchange.serving.pace import PaceKind, Timeline, parse_pace
from backtest.exchange.serving.rebasing import FUNDING_INTERVAL_MS, shifted
from dataflows.tapes.frames import Frame
from sluice.errors import InputError

SECOND_NS = 1_000_000_000


@pytest.mark.parametrize(("text", "kind", "speed"), [
    ("realtime", PaceKind.CLOCK, 1.0), ("10x", PaceKind.CLOCK, 10.0), ("0.5x", PaceKind.CLOCK, 0.5),
    ("max", PaceKind.MAX, 1.0), ("lockstep", PaceKind.LOCKSTEP, 1.0)])
def test_a_pace_is_a_word_or_a_speed(text: str, kind: PaceKind, speed: float) -> None:
    pace = parse_pace(text)
    assert (pace.kind, pace.speed) == (kind, speed)


@pytest.mark.parametrize("text", ["", "fast", "x", "0x", "-1x", "nanx", "infx", "1e9x", "10"])
def test_what_is_no_pace_is_refused_in_words(text: str) -> None:
    with pytest.raises(InputError, match="pace must be realtime"):
        parse_pace(text)


def test_a_rebased_tape_begins_now_and_runs_by_the_clock() -> None:
    now = [100 * SECOND_NS + 123]
    line = Timeline(parse_pace("10x"), rebased=True, clock_ns=lambda: now[0])
    line.begin(5 * SECOND_NS)
    assert line.shift_ns == 95 * SECOND_NS
    assert line.now_ns() == 100 * SECOND_NS
    now[0] += SECOND_NS
    assert line.now_ns() == 110 * SECOND_NS
    assert line.clock_seconds(SECOND_NS) == 0.1


def test_what_is_played_at_once_lies_before_now() -> None:
    line = Timeline(
        parse_pace("realtime"), rebased=True, clock_ns=lambda: 100 * SECOND_NS, start_after_ns=10 * SECOND_NS)
    line.begin(5 * SECOND_NS)
    assert line.now_ns() == 100 * SECOND_NS
    assert 5 * SECOND_NS + line.shift_ns == 90 * SECOND_NS


def test_a_market_made_to_begin_at_a_moment_keeps_the_clock_however_long_the_start_takes() -> None:
    now = [100 * SECOND_NS]
    line = Timeline(parse_pace("realtime"), rebased=False, clock_ns=lambda: now[0])
    now[0] += 3 * SECOND_NS
    line.begin(100 * SECOND_NS, 100 * SECOND_NS)
    assert line.now_ns() == 103 * SECOND_NS


def test_a_tape_that_begins_again_comes_a_second_later() -> None:
    line = Timeline(parse_pace("realtime"), rebased=False, clock_ns=lambda: 0)
    line.begin(5 * SECOND_NS)
    line.append(5 * SECOND_NS, 8 * SECOND_NS)
    assert 5 * SECOND_NS + line.shift_ns == 9 * SECOND_NS


@given(st.integers(0, 10**6), st.integers(1_600_000_000_000, 1_800_000_000_000))
def test_all_times_of_a_frame_move_together_and_nothing_else_does(shift_ms: int, event_ms: int) -> None:
    event = {"e": "trade", "E": event_ms, "T": event_ms - 3, "s": "BTCUSDT", "t": 5266583935, "p": "61800.30", "q": "1",
             "X": "MARKET", "m": False}
    frame = Frame(7, event_ms * 1_000_000, msgspec.json.encode({"stream": "btcusdt@trade", "data": event}), "X")
    moved = shifted(frame, shift_ms * 1_000_000)
    data = msgspec.json.decode(moved.payload)["data"]
    assert data == {**event, "E": event_ms + shift_ms, "T": event_ms - 3 + shift_ms}
    assert moved.receive_time_ns - frame.receive_time_ns == shift_ms * 1_000_000
    assert (moved.sequence, moved.symbol_hint) == (7, "X")


def test_the_next_funding_of_a_shifted_mark_is_at_a_full_eight_hours() -> None:
    event = {"e": "markPriceUpdate", "E": 1_700_000_000_000, "s": "BTCUSDT", "p": "1", "T": 1_700_006_400_000}
    moved = shifted(Frame(1, 0, msgspec.json.encode(event)), 12_345_678 * 1_000_000)
    data = msgspec.json.decode(moved.payload)
    assert data["E"] == 1_700_012_345_678
    assert data["T"] % FUNDING_INTERVAL_MS == 0
    assert 0 < data["T"] - data["E"] <= FUNDING_INTERVAL_MS

import hashlib
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflows.actors.market import FeatureRow, MarketActor
from dataflows.actors.market_state import MARKET, STATE_VERSION
from dataflows.tapes.frames import Frame
from sluice.errors import InputError
from sluice.instruments import Instrument, InstrumentCatalog
from tests.dataflows.actors.streams import BTC, SECOND, START, frame_streams, play
from tests.dataflows.codecs import wire

CATALOG = InstrumentCatalog.shipped()


def texts(rows: list[FeatureRow]) -> list[str]:
    """Return rows in a form in which NaN equals NaN and every other value only itself."""
    return [repr(row) for row in rows]


@settings(max_examples=40)
@given(frame_streams(), st.data())
def test_an_actor_restored_between_any_two_frames_goes_on_to_the_same_rows_and_bytes(
    frames: list[Frame], data: st.DataObject,
) -> None:
    whole = MarketActor(BTC)
    expected, _ = play(whole, frames, START)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(frames)), max_size=4)))
    actor, next_tick, rows = MarketActor(BTC), START, []
    for begin, end in zip([0, *cuts], [*cuts, len(frames)], strict=True):
        more, next_tick = play(actor, frames[begin:end], next_tick)
        rows += more
        taken = actor.snapshot()
        actor = MarketActor(BTC, taken)
        assert actor.snapshot() == taken
    assert texts(rows) == texts(expected)
    assert actor.snapshot() == whole.snapshot()


@settings(max_examples=40)
@given(frame_streams(), st.data())
def test_what_comes_later_changes_nothing_of_what_was_said_before(frames: list[Frame], data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(frames)))
    early, _ = play(MarketActor(BTC), frames[:cut], START)
    all_rows, _ = play(MarketActor(BTC), frames, START)
    assert texts(all_rows[: len(early)]) == texts(early)


@settings(max_examples=40)
@given(frame_streams())
def test_every_frame_is_one_event_or_one_dead_letter(frames: list[Frame]) -> None:
    actor = MarketActor(BTC)
    letters = sum(actor.on_frame(frame) is not None for frame in frames)
    row = actor.on_tick(START + 100_000 * SECOND)
    assert (row.events + row.dead_letters, row.dead_letters) == (len(frames), letters)


@settings(max_examples=40)
@given(frame_streams())
def test_ticks_in_between_change_no_feature_of_a_later_tick(frames: list[Frame]) -> None:
    end = START + 100_000 * SECOND
    quiet, ticking = MarketActor(BTC), MarketActor(BTC)
    play(ticking, frames, START)
    for frame in frames:
        quiet.on_frame(frame)
    first, second = quiet.on_tick(end), ticking.on_tick(end)
    assert repr((first.values, first.valid, first.top)) == repr((second.values, second.valid, second.top))


def test_a_snapshot_is_a_copy() -> None:
    actor = MarketActor(BTC)
    taken = actor.snapshot()
    actor.on_frame(Frame(1, START, wire.trade("100.0", "1")))
    assert MarketActor(BTC, taken).on_tick(START).events == 0


GOOD = MarketActor(BTC).snapshot()


@pytest.mark.parametrize(
    ("snapshot", "words"),
    [
        (b"", "must have a header"),
        (GOOD[:11], "must have a header"),
        (b"XXXX" + GOOD[4:], "must begin with b'SLMA'"),
        (GOOD[:4] + b"\x63\x00" + GOOD[6:], f"must be of version {STATE_VERSION}, was of 99"),
        (GOOD[:-1], "damaged"),
        (GOOD[:40] + bytes([GOOD[40] ^ 1]) + GOOD[41:], "damaged"),
    ],
)
def test_a_snapshot_that_cannot_be_read_says_why(snapshot: bytes, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        MarketActor(BTC, snapshot)
    assert "from its beginning" in caught.value.fix


@pytest.mark.parametrize(
    ("instrument", "interval"),
    [
        (CATALOG.require("BINANCE_USDM:ETHUSDT"), SECOND),
        (replace(BTC, tick_size=Decimal("0.01")), SECOND),
        (BTC, 60 * SECOND),
    ],
)
def test_a_snapshot_of_another_instrument_or_other_settings_is_refused(
    instrument: Instrument, interval: int,
) -> None:
    with pytest.raises(InputError, match="was of another"):
        MarketActor(instrument, GOOD, bar_interval_ns=interval)


def test_the_records_layout_has_not_changed_without_a_new_version() -> None:
    """Snapshots on disk are bound to this layout: a change needs a new `STATE_VERSION`, and then a new line here."""
    layouts = {1: "40b8a8406a19df40", 2: "466c58705adaefd4", 3: "556f4b346e99d940"}
    assert hashlib.sha256(str(MARKET.descr).encode()).hexdigest()[:16] == layouts[STATE_VERSION]

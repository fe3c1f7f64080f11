"""The full actor: the light one's values to the bit, and the same rows however its stream is cut."""

import hashlib
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflows.actors.extended import FullMarketActor
from dataflows.actors.extended_state import EXTENDED, LENGTH
from dataflows.actors.market import MarketActor
from dataflows.actors.market_state import STATE_VERSION
from dataflows.indicators.schemas import FULL_SCHEMA
from dataflows.tapes.frames import Frame
from sluice.errors import InputError
from tests.dataflows.actors.streams import BTC, SECOND, START, actor_of, frame_streams, play
from tests.dataflows.codecs import wire

BOTH = pytest.mark.parametrize("kind", ["light", "full"])


@settings(max_examples=20)
@given(frame_streams(), st.data())
@BOTH
def test_batches_of_any_cut_give_the_letters_and_the_bytes_of_frame_by_frame(
    kind: str, frames: list[Frame], data: st.DataObject,
) -> None:
    single, batched = actor_of(kind), actor_of(kind)
    expected = [letter for frame in frames if (letter := single.on_frame(frame)) is not None]
    cuts = sorted(data.draw(st.lists(st.integers(0, len(frames)), max_size=4)))
    letters = []
    for begin, end in zip([0, *cuts], [*cuts, len(frames)], strict=True):
        letters += batched.on_frames(frames[begin:end])
    assert letters == expected
    assert batched.snapshot() == single.snapshot()


@settings(max_examples=20)
@given(frame_streams(), st.data())
def test_a_full_actor_restored_between_any_two_frames_goes_on_to_the_same_rows_and_bytes(
    frames: list[Frame], data: st.DataObject,
) -> None:
    whole = actor_of("full")
    expected, _ = play(whole, frames, START)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(frames)), max_size=4)))
    actor, next_tick, rows = actor_of("full"), START, []
    for begin, end in zip([0, *cuts], [*cuts, len(frames)], strict=True):
        more, next_tick = play(actor, frames[begin:end], next_tick)
        rows += more
        taken = actor.snapshot()
        actor = actor_of("full", taken)
        assert actor.snapshot() == taken
    assert repr(rows) == repr(expected)
    assert actor.snapshot() == whole.snapshot()


@settings(max_examples=20)
@given(frame_streams(), st.data())
def test_what_comes_later_changes_nothing_of_the_full_rows_before(frames: list[Frame], data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(frames)))
    early, _ = play(actor_of("full"), frames[:cut], START)
    rows, _ = play(actor_of("full"), frames, START)
    assert repr(rows[: len(early)]) == repr(early)


@settings(max_examples=20)
@given(frame_streams())
def test_a_full_row_begins_with_the_light_row_and_has_its_top_and_counts(frames: list[Frame]) -> None:
    light, _ = play(actor_of("light"), frames, START)
    full, _ = play(actor_of("full"), frames, START)
    count = len(MarketActor(BTC).schema.features)
    for ours, theirs in zip(full, light, strict=True):
        assert repr(ours.values[:count]) == repr(theirs.values)
        assert ours.valid[:count] == theirs.valid
        assert repr((ours.top, ours.events, ours.dead_letters, ours.health, ours.quality)) == repr(
            (theirs.top, theirs.events, theirs.dead_letters, theirs.health, theirs.quality))


def joined_book() -> list[bytes]:
    bids = [(f"{100 - tick / 10:.1f}", "3") for tick in range(30)]
    asks = [(f"{100.1 + tick / 10:.1f}", "1") for tick in range(30)]
    return [wire.snapshot(10, bids, asks), wire.depth(9, 11, 8)]


def test_the_families_see_what_the_stream_says() -> None:
    actor = FullMarketActor(BTC)
    number = 0
    for second in range(130):
        at = START + second * SECOND
        payloads = joined_book() if second == 0 else [
            wire.trade(f"{100 + (second % 7) / 10:.1f}", "0.5", sold=second % 3 == 0), wire.mark_price("100.2"),
            wire.depth(second + 11, second + 11, second + 10, [("100.0", f"{second % 2}")])]
        for payload in payloads:
            number += 1
            assert actor.on_frame(Frame(number, at, payload)) is None
    row = actor.on_tick(START + 130 * SECOND)
    values = dict(zip(row_names(), zip(row.values, row.valid, strict=True), strict=True))
    for name in ("rsi_14_1s", "cvd_60s", "order_flow_imbalance_60s", "basis_bps", "skewness_60s", "fraction_of_day"):
        assert values[name][1], name
    assert values["fraction_of_day"][0] == (START // SECOND + 130) % 86_400 / 86_400
    assert values["basis_bps"][0] == pytest.approx(1e4 * (100.2 - 1.0) / 1.0)
    assert row.schema_hash == FULL_SCHEMA.hash
    unknown = [name for name in row_names() if name.startswith("reference_")]
    assert unknown
    assert not any(values[name][1] for name in unknown)
    assert not any(value == 0.0 for value, valid in values.values() if not valid)


def row_names() -> tuple[str, ...]:
    return FULL_SCHEMA.features


def test_nothing_is_valid_while_the_book_is_not_synced() -> None:
    actor = FullMarketActor(BTC)
    for second in range(70):
        actor.on_frame(Frame(second + 1, START + second * SECOND, wire.trade("100.0", "1")))
    row = actor.on_tick(START + 70 * SECOND)
    assert not any(row.valid)
    assert np.isnan(row.values).all()


def test_a_long_silence_lets_the_families_begin_anew() -> None:
    actor = FullMarketActor(BTC)
    frames = [Frame(number, START, payload) for number, payload in enumerate(joined_book(), start=1)]
    frames += [Frame(10 + second, START + second * SECOND, wire.trade("100.0", "1")) for second in range(1, 90)]
    actor.on_frames(frames)
    names = row_names()
    warm = actor.on_tick(START + 90 * SECOND)
    assert warm.valid[names.index("cvd_60s")]
    late = actor.on_tick(START + 90 * SECOND + 3600 * SECOND)
    arrivals = [name for name in names if name.endswith("_60s") and names.index(name) > 22 + 3 * 35]
    assert arrivals
    assert any(warm.valid[names.index(name)] for name in arrivals)
    assert not any(late.valid[names.index(name)] for name in arrivals)


@pytest.mark.parametrize("is_quick", [True, False])
def test_a_trade_is_held_against_the_best_prices_of_before_its_own_millisecond(is_quick: bool) -> None:
    """The order that took the ask from 100.1 to 100.3 is told of by the best prices first, then by its fills."""
    actor, first_ms = FullMarketActor(BTC), START // 1_000_000
    frames = [Frame(number, START, payload) for number, payload in enumerate(joined_book(), start=1)]
    for second in range(70):
        time_ms = first_ms + 1_000 * second + 5
        at = {"s": "BTCUSDT", "E": time_ms, "T": time_ms}
        before = {"e": "bookTicker", "u": 100 + 2 * second, "b": "100.0", "B": "1", "a": "100.1", "A": "1"}
        after = {"e": "bookTicker", "u": 101 + 2 * second, "b": "100.2", "B": "1", "a": "100.3", "A": "1"}
        fill = {"e": "trade", "t": second + 1, "p": "100.1", "q": "1", "X": "MARKET", "m": False}
        for event in ({**before, **at, "T": time_ms - 3}, {**after, **at}, {**fill, **at}):
            text = json.dumps(event, separators=(",", ":") if is_quick else None).encode()
            frames.append(Frame(len(frames) + 1, START + second * SECOND + 10_000_000, text))
    assert actor.on_frames(frames) == []
    spread = actor.on_tick(START + 70 * SECOND).values[row_names().index("effective_spread_60s_bps")]
    assert spread == pytest.approx(2e4 * (100.1 - 100.05) / 100.05, rel=1e-9)


@pytest.mark.parametrize("bars_ns", [(), (0,), (SECOND // 2,), (SECOND, -SECOND)])
def test_a_length_of_bar_that_is_no_whole_number_of_seconds_is_refused(bars_ns: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match=r"whole seconds|at least one"):
        FullMarketActor(BTC, bars_ns=bars_ns)


def test_a_snapshot_of_another_set_or_other_bars_is_refused() -> None:
    light, full = MarketActor(BTC).snapshot(), FullMarketActor(BTC).snapshot()
    with pytest.raises(InputError, match="must be of the light set, was of the full set with 3"):
        MarketActor(BTC, full)
    with pytest.raises(InputError, match="must be of the full set with 3 lengths of bars, was of the light set"):
        FullMarketActor(BTC, light)
    with pytest.raises(InputError, match="was of the full set with 3"):
        FullMarketActor(BTC, full, bars_ns=(SECOND,))
    with pytest.raises(InputError, match="same lengths of bars"):
        FullMarketActor(BTC, full, bars_ns=(SECOND, 2 * SECOND, 3 * SECOND))


def test_the_layout_of_the_observers_has_not_changed_without_a_new_version() -> None:
    """As the light record's: a change needs a new `STATE_VERSION`, and then a new line here."""
    layouts = {3: "fb577ecfb6190786"}
    assert hashlib.sha256(f"{EXTENDED.descr}{LENGTH.descr}".encode()).hexdigest()[:16] == layouts[STATE_VERSION]

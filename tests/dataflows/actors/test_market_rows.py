"""Rows of compiled tapes: the same features however they are cut, and what a message means there."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflows.actors.market import FeatureTable, MarketActor
from dataflows.extraction.batch import compute
from dataflows.indicators.schema import MARKET_SCHEMA
from dataflows.indicators.schemas import full_schema
from dataflows.tapes.rows import EXCH_EVENT, Rows
from sluice.errors import InputError
from tests.dataflows.actors.streams import BTC, SECOND, START, TICK, actor_of, row, row_streams, rows_of, same

BOTH = pytest.mark.parametrize("kind", ["light", "full"])
COUNT = len(MARKET_SCHEMA.features)


def table_of(actor: MarketActor, rows: Rows) -> FeatureTable:
    return actor.on_rows(rows, tick_interval_ns=TICK)


@settings(max_examples=20)
@given(row_streams(), st.data())
@BOTH
def test_a_tape_in_pieces_with_restores_between_them_is_the_tape_at_once(
    kind: str, rows: Rows, data: st.DataObject,
) -> None:
    whole = actor_of(kind)
    expected = table_of(whole, rows)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(rows)), max_size=5)))
    actor, tables = actor_of(kind), []
    for begin, end in zip([0, *cuts], [*cuts, len(rows)], strict=True):
        tables.append(table_of(actor, rows[begin:end]))
        actor = actor_of(kind, actor.snapshot())
    assert same(FeatureTable.joined(tables), expected)
    assert actor.snapshot() == whole.snapshot()


@settings(max_examples=20)
@given(row_streams(), st.data())
@BOTH
def test_the_rows_to_come_change_nothing_of_what_was_said_before(
    kind: str, rows: Rows, data: st.DataObject,
) -> None:
    cut = data.draw(st.integers(0, len(rows)))
    early, late = table_of(actor_of(kind), rows[:cut]), table_of(actor_of(kind), rows)
    assert same(late[: len(early)], early)


@settings(max_examples=20)
@given(row_streams())
def test_a_full_table_begins_with_the_light_one(rows: Rows) -> None:
    light, full = table_of(actor_of("light"), rows), table_of(actor_of("full"), rows)
    assert same(FeatureTable(light.schema, full.times_ns, full.values[:, :COUNT].copy(), full.tops), light)
    assert not full.valid[np.isnan(full.tops[:, 0])].any()


@settings(max_examples=20)
@given(row_streams())
def test_a_tick_in_python_is_the_tick_between_rows_and_others_before_it_make_no_difference(rows: Rows) -> None:
    table = table_of(actor_of("full"), rows)
    for at, expected in zip(table.times_ns[-3:].tolist(), table.values[-3:], strict=True):
        actor = actor_of("full")
        actor.on_rows(rows[rows["local_ts"] < at], tick_interval_ns=1000 * SECOND)
        made = actor.on_tick(at)
        assert np.array(made.values[COUNT:]).tobytes() == expected[COUNT:].tobytes()


BIDS = [row("snapshot", 1, START, 99.9 - tick / 10, 2.0) for tick in range(5)]
ASKS = [row("snapshot", -1, START, 100.0 + tick / 10, 1.0) for tick in range(5)]
BOOK = BIDS + ASKS
LATER = START + 10 * SECOND


def top_after(*given: tuple[float, ...]) -> tuple[float, ...]:
    """Return the top at the first tick after some rows that follow the book."""
    rows = rows_of(*BOOK, *given, row("trade", 1, LATER, 100.0, 1.0))
    table = MarketActor(BTC).on_rows(rows, tick_interval_ns=SECOND)
    top: tuple[float, ...] = tuple(table.tops[-1].tolist())
    return top


AT = START + SECOND
UNKNOWN = (np.nan,) * 4


@pytest.mark.parametrize(
    ("given_rows", "expected"),
    [
        ([], (99.9, 2.0, 100.0, 1.0)),
        ([row("level", 1, AT, 99.9, 5.0)], (99.9, 5.0, 100.0, 1.0)),
        ([row("level", 1, AT, 99.9, 0.0)], (99.8, 2.0, 100.0, 1.0)),
        # A message that goes through a crossed book is not crossed at its end.
        ([row("level", 1, AT, 100.0, 4.0), row("level", -1, AT, 100.0, 0.0)], (100.0, 4.0, 100.1, 1.0)),
        # A crossed book is unknown for as long as it is crossed.
        ([row("level", 1, AT, 100.0, 4.0)], UNKNOWN),
        ([row("level", 1, AT, 100.0, 4.0), row("level", 1, AT + 1, 100.0, 0.0)], (99.9, 2.0, 100.0, 1.0)),
        # Best prices are believed where the exchange made them after the book.
        ([row("best", 1, AT, 99.8, 7.0), row("best", -1, AT, 100.2, 8.0)], (99.8, 7.0, 100.2, 8.0)),
        ([row("best", 1, AT, 99.8, 7.0)], (99.8, 7.0, 100.0, 1.0)),
        ([row("best", 1, AT, 99.8, 7.0, lag_ns=2 * SECOND)], (99.9, 2.0, 100.0, 1.0)),
        ([row("best", 1, AT, 99.8, 7.0), row("level", 1, AT + 9, 99.7, 1.0)], (99.9, 2.0, 100.0, 1.0)),
        ([row("best", 1, AT, 100.3, 7.0)], (99.9, 2.0, 100.0, 1.0)),
        # A side is cleared from the best to a price, or whole.
        ([row("clear", 1, AT, 99.8, 0.0)], (99.7, 2.0, 100.0, 1.0)),
        ([row("clear", -1, AT, np.nan, 0.0), row("level", -1, AT, 101.0, 1.0)], (99.9, 2.0, 101.0, 1.0)),
        ([row("clear", 0, AT, 0.0, 0.0)], UNKNOWN),
        # What cannot be is left out, and so is what was not received.
        ([row("level", 1, AT, 99.95, 5.0), row("level", 1, AT, -1.0, 5.0)], (99.9, 2.0, 100.0, 1.0)),
        ([row("level", 1, AT, 99.9, -5.0), row("level", 1, AT, 99.9, np.inf)], (99.9, 2.0, 100.0, 1.0)),
        ([row("other", 1, AT, 99.9, 5.0)], (99.9, 2.0, 100.0, 1.0)),
        ([(1 | EXCH_EVENT, AT, AT, 99.9, 5.0, 0, 0, 0.0)], (99.9, 2.0, 100.0, 1.0)),
    ],
)
def test_the_best_prices_after_rows(given_rows: list[tuple[float, ...]], expected: tuple[float, ...]) -> None:
    assert repr(top_after(*given_rows)) == repr(expected)


def test_a_bad_row_is_counted_and_a_message_is_one_event() -> None:
    actor = MarketActor(BTC)
    actor.on_rows(rows_of(*BOOK, row("level", 1, AT, 99.95, 5.0), row("trade", 1, AT, np.nan, 1.0),
                          row("trade", 1, AT, 100.0, 1.0)), tick_interval_ns=SECOND)
    made = actor.on_tick(AT)
    assert (made.events, made.dead_letters, made.health.snapshots, made.health.joins) == (3, 2, 1, 1)


def test_a_book_without_a_snapshot_is_unknown_unless_the_tape_starts_with_an_empty_one() -> None:
    levels = [row("level", side, START, price, 1.0) for side, price in ((1, 99.9), (-1, 100.0))]
    rows = rows_of(*levels, row("trade", 1, LATER, 100.0, 1.0))
    assert np.isnan(compute(rows, BTC, starts_known=False).tops).all()
    assert compute(rows, BTC).tops[0].tolist() == [99.9, 1.0, 100.0, 1.0]
    assert np.isnan(compute(rows_of(*levels, row("trade", 1, LATER, 100.0, 1.0), *BOOK), BTC).tops).all()


def test_ticks_are_on_the_grid_and_a_long_silence_has_one() -> None:
    gone = START + 7200 * SECOND
    rows = rows_of(*BOOK, row("trade", 1, START + 2 * SECOND, 100.0, 1.0), row("trade", 1, gone, 100.0, 1.0),
                   row("trade", 1, gone + SECOND, 100.0, 1.0))
    seconds = (compute(rows, BTC).times_ns - START) // SECOND
    assert seconds.tolist() == [1, 2, 3, 7201]


def test_a_table_may_have_more_ticks_than_there_is_room_for_in_one_call() -> None:
    rows = rows_of(*BOOK, row("trade", 1, START + 300 * SECOND, 100.0, 1.0))
    table = compute(rows, BTC, full_schema((SECOND,)), tick_interval_ns=SECOND)
    assert (len(table), table.values.shape[1]) == (300, len(table.schema.features))
    assert table.valid[-1, MARKET_SCHEMA.index("return_60s_bps")]


def test_an_interval_that_is_not_positive_is_refused() -> None:
    with pytest.raises(InputError, match="tick_interval_ns must be positive, was 0"):
        compute(rows_of(*BOOK), BTC, tick_interval_ns=0)

"""How often a book was lost and why is counted, also where every frame was good."""

import pytest

from dataflows.actors.market import BookHealth, MarketActor
from dataflows.book.state import FAR_CAPACITY
from dataflows.deadletters import DeadLetter
from dataflows.tapes.frames import Frame
from sluice.instruments import InstrumentCatalog
from tests.dataflows.codecs import wire

BTC = InstrumentCatalog.shipped().require("BINANCE_USDM:BTCUSDT")
START = 1_700_000_000 * wire.SECOND

SNAPSHOT = wire.snapshot(10, [("100.0", "3"), ("99.9", "1")], [("100.2", "1")])
JOINED = [SNAPSHOT, wire.depth(9, 11, 8)]
GAP = wire.depth(20, 21, 19)
CROSSING = wire.depth(12, 13, 11, [("100.2", "1")])


def feed(actor: MarketActor, *payloads: bytes) -> list[DeadLetter | None]:
    return [actor.on_frame(Frame(1, START + number, payload)) for number, payload in enumerate(payloads)]


def health(actor: MarketActor) -> BookHealth:
    return actor.on_tick(START + wire.SECOND).health


def test_a_book_without_a_snapshot_was_never_synced() -> None:
    actor = MarketActor(BTC)
    feed(actor, wire.depth(9, 11, 8), wire.depth(12, 13, 11), wire.depth(20, 21, 19))
    assert health(actor) == BookHealth()


def test_a_snapshot_that_nothing_joins_is_counted_and_the_book_was_never_synced() -> None:
    actor = MarketActor(BTC)
    feed(actor, SNAPSHOT, GAP)
    assert health(actor) == BookHealth(snapshots=1)


def test_a_good_book_has_joined_once_and_lost_nothing() -> None:
    actor = MarketActor(BTC)
    feed(actor, *JOINED, wire.depth(12, 13, 11))
    assert health(actor) == BookHealth(snapshots=1, joins=1)


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (GAP, BookHealth(1, 1, lost_to_gap=1, stale_cause="gap", stale_since_ns=START + 2)),
        (CROSSING, BookHealth(1, 1, lost_to_crossing=1, stale_cause="crossed", stale_since_ns=START + 2)),
    ],
)
def test_a_lost_book_says_why_and_since_when(payload: bytes, expected: BookHealth) -> None:
    actor = MarketActor(BTC)
    feed(actor, *JOINED, payload)
    assert health(actor) == expected


def test_a_book_that_the_price_ran_out_of_is_lost_to_the_horizon_and_the_frame_is_no_dead_letter() -> None:
    near = [(f"{60_000 - number * 0.1:.1f}", "1") for number in range(10)]
    far = [(f"{5_000 - number * 0.1:.1f}", "1") for number in range(FAR_CAPACITY + 100)]
    actor = MarketActor(BTC)
    feed(actor, wire.snapshot(10, near, [("70000.0", "1")]), wire.depth(9, 11, 8), wire.depth(12, 13, 11, far))
    assert health(actor) == BookHealth(snapshots=1, joins=1)
    emptied = [(price, "0") for price, _ in near + far[:FAR_CAPACITY]]
    assert feed(actor, wire.depth(14, 15, 13, emptied)) == [None]
    row = actor.on_tick(START + wire.SECOND)
    assert not row.top.synced
    assert (row.events, row.dead_letters) == (4, 0)
    assert (row.health.lost_to_horizon, row.health.stale_cause) == (1, "horizon")


def test_a_book_that_has_come_back_is_stale_no_more_and_the_loss_stays_counted() -> None:
    actor = MarketActor(BTC)
    feed(actor, *JOINED, GAP, wire.depth(25, 26, 24), wire.snapshot(26, [("100.0", "1")], [("100.2", "1")]))
    assert health(actor) == BookHealth(snapshots=2, joins=2, lost_to_gap=1)


def test_further_gaps_while_the_book_is_lost_are_dead_letters_and_no_further_loss() -> None:
    actor = MarketActor(BTC)
    letters = feed(actor, *JOINED, GAP, wire.depth(30, 31, 29))
    assert [letter is not None for letter in letters] == [False, False, True, True]
    assert health(actor).lost_to_gap == 1


@pytest.mark.parametrize("last", [11, 5])
def test_a_snapshot_that_is_old_news_is_an_event_and_disturbs_nothing(last: int) -> None:
    actor = MarketActor(BTC)
    assert feed(actor, *JOINED, wire.snapshot(last, [("90.0", "1")], [("91.0", "1")])) == [None] * 3
    row = actor.on_tick(START + wire.SECOND)
    assert row.top.best_bid == 100.0
    assert row.events == 3
    assert row.health == BookHealth(snapshots=2, joins=1)


def test_a_snapshot_that_is_ahead_of_a_good_book_leaves_it_synced_and_joins_with_the_next_difference() -> None:
    actor = MarketActor(BTC)
    feed(actor, *JOINED, wire.snapshot(14, [("100.1", "7")], [("100.2", "1")]))
    assert actor.on_tick(START + 5).top.best_bid == 100.0
    feed(actor, wire.depth(12, 15, 11, [("100.1", "8")]))
    row = actor.on_tick(START + wire.SECOND)
    assert row.top.synced
    assert (row.top.best_bid, row.top.best_bid_quantity) == (100.1, 8.0)
    assert row.health == BookHealth(snapshots=2, joins=1)


def test_a_snapshot_without_levels_takes_none_from_a_good_book() -> None:
    actor = MarketActor(BTC)
    feed(actor, *JOINED, wire.snapshot(14, [], []), wire.depth(12, 15, 11, [("99.0", "8")]))
    row = actor.on_tick(START + wire.SECOND)
    assert (row.top.synced, row.top.best_bid, row.top.best_ask) == (True, 100.0, 100.2)


def test_the_loss_of_a_book_to_a_gap_that_only_a_later_difference_can_mend_is_counted() -> None:
    actor = MarketActor(BTC)
    feed(actor, *JOINED, wire.snapshot(30, [("100.1", "7")], [("100.2", "1")]), wire.depth(20, 25, 19))
    assert (health(actor).lost_to_gap, health(actor).stale_cause) == (1, "gap")

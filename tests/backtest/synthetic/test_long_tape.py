"""A synthetic tape may be long: its book keeps its size, and snapshots come again and again that join the stream."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest

from backtest.synthetic import DEFAULT_START_NS, make_tape
from backtest.synthetic.draws import generator, uniform
from backtest.synthetic.ladder import ASKS, BIDS, empty_ladder, is_behind, keep_extent, move_quotes, populate, put
from tests.backtest.synthetic.observed import Observed, RebuiltBook, observe

MINUTES = 25
TEN_MINUTES_NS = 600_000_000_000
Levels = dict[str, dict[Decimal, Decimal]]


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Observed:
    (file,) = make_tape(tmp_path_factory.mktemp("long"), seed=5, minutes=MINUTES, symbols=("XRPUSDT",))
    return observe(file)


def levels_of(snapshot: dict[str, Any]) -> Levels:
    return RebuiltBook(snapshot).sides


def test_a_snapshot_comes_every_ten_minutes(long: Observed) -> None:
    passed = [snapshot["receive_ns"] - DEFAULT_START_NS for snapshot in long.snapshots]
    assert len(passed) == 1 + MINUTES // 10
    assert passed[0] < 1_000_000_000
    assert [later - passed[0] for later in passed] == [number * TEN_MINUTES_NS for number in range(len(passed))]


def test_every_snapshot_joins_the_stream_and_is_the_whole_book_that_was_kept_from_the_first_on(long: Observed) -> None:
    diffs = iter(long.of("depthUpdate"))
    kept, before = RebuiltBook(long.snapshot), None
    for snapshot in long.snapshots:
        last = snapshot["lastUpdateId"]
        while (diff := next(diffs))["u"] < last:
            if diff["u"] >= long.snapshot["lastUpdateId"]:
                kept.apply(diff)
        assert diff["U"] <= last <= diff["u"]
        kept.apply(diff)
        joined = RebuiltBook(snapshot)
        joined.apply(diff)
        assert joined.sides == kept.sides
        assert levels_of(snapshot) != before
        before = levels_of(snapshot)


def test_the_book_stays_as_deep_as_it_was(long: Observed) -> None:
    counts = [len(levels) for snapshot in long.snapshots for levels in levels_of(snapshot).values()]
    assert all(400 < count < 1_000 for count in counts)


@dataclass
class Walk:
    """A ladder whose quotes walk one way, and what is expected of it."""

    extent: int = 200
    density: float = 0.4
    state: Any = field(default_factory=lambda: generator(9, "walk"))

    def __post_init__(self) -> None:
        self.ladder = empty_ladder(20_000)
        populate(self.ladder, self.state, 10_000, 50.0, self.density, self.extent)

    def move(self, ticks: int) -> None:
        bid = int(self.ladder.best[BIDS]) + ticks
        move_quotes(self.ladder, self.state, bid, bid + 1 + int(3 * uniform(self.state)), 50.0, 0.0, self.density)
        keep_extent(self.ladder, self.state, 50.0, self.density, self.extent, 5_000)

    def distances(self, side: int) -> list[int]:
        rests = self.ladder.quantity[side].nonzero()[0]
        outwards = -1 if side == BIDS else 1
        return [int((index - self.ladder.best[side]) * outwards) for index in rests]


@pytest.mark.parametrize("step", [7, -7, 150, -150, 900, -900])
def test_a_price_that_walks_away_leaves_no_orders_far_behind_and_finds_a_book_before_it(step: int) -> None:
    walk = Walk()
    for _ in range(9_000 // abs(step)):
        walk.move(step)
        for side in (BIDS, ASKS):
            distances = walk.distances(side)
            assert min(distances) == 0
            assert max(distances) <= 1.2 * walk.extent
    for side in (BIDS, ASKS):
        assert 0.25 * walk.extent < len(walk.distances(side)) < 0.7 * walk.extent


def test_what_is_behind_the_best_price_ends_where_the_book_ends() -> None:
    ladder = empty_ladder(1_000)
    populate(ladder, generator(1, "ends"), 500, 50.0, 0.5, 100)
    put(ladder, BIDS, 500, 5)
    assert [is_behind(ladder, BIDS, index) for index in (500, 499, 401, 400)] == [False, True, True, False]
    assert [is_behind(ladder, ASKS, index) for index in (501, 502, 600, 601)] == [False, True, True, False]

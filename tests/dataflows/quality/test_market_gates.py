"""The market actor asks the gates: what is wrong moves no feature, what is only odd is taken and counted."""

import json

import pytest

from dataflows.actors.market import FeatureRow, MarketActor
from dataflows.deadletters import DeadLetter
from dataflows.deadletters import DeadLetterReason as Reason
from dataflows.indicators.schema import MARKET_SCHEMA
from dataflows.tapes.frames import Frame
from sluice.instruments import InstrumentCatalog
from tests.dataflows.codecs import wire

BTC = InstrumentCatalog.shipped().require("BINANCE_USDM:BTCUSDT")
MS = 1_000_000
SECOND = 1_000 * MS
START_MS = 1_700_000_000_000


class Market:
    """An actor with a synced book at 100.0 to 100.2, a frame every 10 ms."""

    def __init__(self, quick: bool) -> None:
        self.actor, self.quick = MarketActor(BTC), quick
        self.now_ms, self.letters = START_MS, list[DeadLetter]()
        self.take(json.loads(wire.snapshot(10, [("100.0", "3")], [("100.2", "1")])))
        self.depth(11, [["99.9", "1"]])

    def take(self, event: dict[str, object]) -> Reason | None:
        self.now_ms += 10
        blanks = None if not self.quick else (",", ":")
        letter = self.actor.on_frame(Frame(1, self.now_ms * MS, json.dumps(event, separators=blanks).encode()))
        return letter.reason if letter else None

    def depth(self, last: int, bids: list[list[str]], **other: object) -> Reason | None:
        return self.take({
            "e": "depthUpdate", "E": self.now_ms + 9, "T": self.now_ms + 9, "s": "BTCUSDT", "U": last, "u": last,
            "pu": last - 1, "b": bids, "a": [], **other})

    def trade(self, trade_id: int, price: str = "100.1", quantity: str = "2", **other: object) -> Reason | None:
        return self.take({
            "e": "trade", "E": self.now_ms + 9, "T": self.now_ms + 9, "s": "BTCUSDT", "t": trade_id, "p": price,
            "q": quantity, "X": "MARKET", "m": False, **other})

    def row(self) -> FeatureRow:
        self.now_ms = (self.now_ms // 1_000 + 2) * 1_000
        return self.actor.on_tick(self.now_ms * MS)


@pytest.fixture(params=[True, False], ids=["quick", "general"])
def market(request: pytest.FixtureRequest) -> Market:
    return Market(request.param)


def bought(row: FeatureRow) -> float:
    return row.values[MARKET_SCHEMA.index("cvd_10s")]


def after_ten_seconds(market: Market, trades: list[int]) -> FeatureRow:
    market.take(json.loads(wire.kline()))
    market.now_ms += 20_000
    for trade_id in trades:
        market.trade(trade_id)
    market.depth(12, [["99.8", "1"]])
    return market.row()


def test_a_trade_that_comes_twice_counts_once(market: Market) -> None:
    row = after_ten_seconds(market, [1, 2, 2, 3, 1])
    assert bought(row) == 3 * 2
    assert dict(row.quality) == {"DUPLICATE_ID": 2, "STALE_STREAM": 1}
    assert row.dead_letters == 2


def test_a_missing_trade_is_counted_and_the_ones_after_it_are_taken(market: Market) -> None:
    row = after_ten_seconds(market, [1, 2, 5])
    assert bought(row) == 3 * 2
    assert dict(row.quality) == {"MISSING_IDS": 1, "STALE_STREAM": 1}
    assert row.dead_letters == 0


def test_a_bad_print_is_a_dead_letter_and_moves_no_bar(market: Market) -> None:
    assert market.trade(1) is None
    assert market.trade(2, "140.0") is Reason.FAR_PRICE
    assert market.trade(3, quantity="0") is None
    assert market.trade(4, "0") is Reason.INVALID_PRICE
    market.row()
    bars = market.actor.bars()
    assert bars["high"].max() == bars["low"].min() == 100.1
    assert dict(market.row().quality) == {"FAR_PRICE": 1, "EMPTY_TRADE": 1}


def test_a_trade_that_is_no_print_of_the_book_has_its_place_in_the_ids(market: Market) -> None:
    assert market.trade(1) is None
    assert market.trade(2, "0", "0", X="NA") is None
    assert market.trade(3, "9", "5", X="INSURANCE_FUND") is None
    assert market.trade(4) is None
    assert market.trade(3, X="ADL") is Reason.DUPLICATE_ID
    assert dict(market.row().quality) == {"EMPTY_TRADE": 1, "DUPLICATE_ID": 1}
    assert market.actor.bars()["volume"].sum() == 4


@pytest.mark.parametrize(("bid", "reason"), [("100.3", Reason.CROSSED_BOOK), ("100.2", Reason.LOCKED_BOOK)])
def test_a_book_that_crosses_or_locks_is_named(market: Market, bid: str, reason: Reason) -> None:
    ticker = {"e": "bookTicker", "u": 50, "s": "BTCUSDT", "b": bid, "B": "1", "a": "100.2", "A": "1"}
    assert market.take(ticker) is reason
    assert market.row().top.synced
    assert market.depth(12, [[bid, "1"]]) is reason
    assert not market.row().top.synced


def test_times_are_flagged_and_the_event_is_taken(market: Market) -> None:
    assert market.trade(1) is None
    assert market.trade(2, E=START_MS) is None
    assert market.depth(12, [["99.8", "1"]], E=market.now_ms + 500) is None
    row = market.row()
    assert dict(row.quality) == {"EVENT_TIME_REVERSED": 1, "EVENT_FROM_FUTURE": 1}
    assert row.dead_letters == 0


def test_a_silence_is_flagged_at_the_first_tick_after_it(market: Market) -> None:
    market.trade(1)
    market.now_ms += 7_000
    assert dict(market.row().quality) == {"STALE_STREAM": 1}
    assert dict(market.row().quality) == {"STALE_STREAM": 1}


@pytest.mark.parametrize("wild", [0, 2**62])
def test_a_book_whose_ids_begin_anew_is_lost_at_once_and_comes_back_with_a_snapshot(market: Market, wild: int) -> None:
    if wild:
        market.depth(wild, [["99.8", "1"]], pu=11)
    assert market.depth(2, [["99.7", "1"]]) is Reason.SEQUENCE_GAP
    row = market.row()
    assert (row.top.synced, row.health.lost_to_gap) == (False, 1)
    market.take(json.loads(wire.snapshot(2, [("120.0", "3")], [("120.2", "1")])))
    assert market.depth(3, [["120.1", "1"]]) is None
    row = market.row()
    assert (row.top.synced, row.top.best_bid) == (True, 120.1)


@pytest.mark.parametrize("clock_ms", [0, 5_000, -5_000, 5 * 3_600_000, 4 * 86_400_000, -4 * 86_400_000])
def test_old_differences_that_come_again_are_passed_over_whatever_the_recorders_clock(
    market: Market, clock_ms: int,
) -> None:
    first_ms = market.now_ms - clock_ms
    times = [{"E": first_ms + 10 * step, "T": first_ms + 10 * step} for step in range(8)]
    for _ in range(2):
        assert [market.depth(12 + step, [], **times[step]) for step in range(8)] == [None] * 8
    assert market.depth(20, []) is None
    assert market.row().top.synced


def test_what_the_gates_know_is_part_of_the_snapshot(market: Market) -> None:
    market.trade(7)
    market.actor = MarketActor(BTC, market.actor.snapshot())
    assert market.trade(7) is Reason.DUPLICATE_ID
    assert dict(market.row().quality) == {"DUPLICATE_ID": 1}

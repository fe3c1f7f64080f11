"""The gates name what is wrong with an event, each cause once, and take what is right."""

import math

import pytest

from dataflows.deadletters import DeadLetterReason as Reason
from dataflows.quality.gates import Gates
from dataflows.quality.sequences import WINDOW
from dataflows.quality.state import SET_ASIDE, reasons_of
from sluice.cli.reference.enums import values
from sluice.cli.reference.pages import ROOT

MS = 1_000_000
SECOND = 1_000 * MS
START = 1_700_000_000 * SECOND


class Market:
    """Trades one after the other, each fine but for what is named."""

    def __init__(self) -> None:
        self.gates = Gates()
        self.now, self.next_id = START, 1_000

    def trade(self, price: float = 100.0, quantity: float = 1.0, mid: float = math.nan, **other: int) -> list[Reason]:
        self.now += 10 * MS
        event = other.get("event", self.now - 5 * MS)
        bits = self.gates.trade(
            other.get("received", self.now), event, other.get("transaction", event),
            other.get("trade_id", self.next_id), price, quantity, mid=mid)
        self.next_id += 1
        return reasons_of(bits)


@pytest.fixture
def market() -> Market:
    made = Market()
    assert made.trade() == []
    return made


def test_a_fine_stream_has_no_cause(market: Market) -> None:
    assert all(market.trade(100 + step % 3) == [] for step in range(50))
    assert market.gates.counts() == {}


def test_a_trade_that_comes_twice_is_set_aside(market: Market) -> None:
    market.next_id -= 1
    assert market.trade() == [Reason.DUPLICATE_ID]


def test_a_missing_id_is_told_once_and_the_trade_is_taken(market: Market) -> None:
    market.next_id += 1
    assert market.trade() == [Reason.MISSING_IDS]
    assert market.trade() == []
    assert not 1 << Reason.MISSING_IDS & SET_ASIDE


def test_a_trade_that_was_overtaken_is_taken_once(market: Market) -> None:
    overtaken = market.next_id
    market.next_id += 1
    market.trade()
    assert market.trade(trade_id=overtaken) == [Reason.ID_REVERSED]
    assert market.trade(trade_id=overtaken) == [Reason.DUPLICATE_ID]


def test_ids_that_begin_anew_with_newer_trades_are_taken(market: Market) -> None:
    assert market.trade(trade_id=7) == [Reason.ID_REVERSED]
    assert market.trade(trade_id=8) == []


def test_an_old_trade_far_back_is_one_that_comes_again(market: Market) -> None:
    old = market.now - SECOND // 2
    assert Reason.DUPLICATE_ID in market.trade(trade_id=7, event=old)


def test_a_replay_longer_than_the_memory_of_ids_counts_nothing_twice(market: Market) -> None:
    sent = [(market.next_id + step, market.now + (10 * step + 5) * MS) for step in range(3 * WINDOW)]
    assert [market.trade(trade_id=trade_id) for trade_id, _ in sent] == [[]] * len(sent)
    again = [market.trade(trade_id=trade_id, event=event) for trade_id, event in sent]
    assert all(Reason.DUPLICATE_ID in found for found in again)
    assert market.trade(trade_id=sent[-1][0] + 1) == []


def test_a_wild_id_with_a_wild_time_hides_no_trade_after_it(market: Market) -> None:
    market.trade(trade_id=2**62, event=market.now + 20 * 3_600 * SECOND)
    market.now += 2 * SECOND
    after = [market.trade() for _ in range(20)]
    assert sum(Reason.DUPLICATE_ID in found for found in after) == 0


def test_a_crash_is_believed_from_its_second_trade_on_though_the_book_lags(market: Market) -> None:
    crash = [market.trade(70.0 + 0.01 * step, mid=100.0) for step in range(20)]
    assert crash == [[Reason.FAR_PRICE], *[[]] * 19]


@pytest.mark.parametrize("mid", [math.nan, 100.0])
def test_a_bad_print_is_set_aside_and_a_move_that_goes_on_is_believed(market: Market, mid: float) -> None:
    assert market.trade(126.0, mid=mid) == [Reason.FAR_PRICE]
    assert market.trade(100.0, mid=mid) == []
    assert market.trade(79.0, mid=mid) == [Reason.FAR_PRICE]
    assert market.trade(78.5, mid=mid) == []


@pytest.mark.parametrize(("price", "quantity", "reason"), [
    (0.0, 0.0, Reason.EMPTY_TRADE), (100.0, 0.0, Reason.EMPTY_TRADE), (-1.0, 1.0, Reason.INVALID_PRICE),
    (0.0, 1.0, Reason.INVALID_PRICE), (math.inf, 1.0, Reason.INVALID_PRICE), (math.nan, 1.0, Reason.INVALID_PRICE),
    (100.0, -1.0, Reason.INVALID_QUANTITY), (100.0, math.nan, Reason.INVALID_QUANTITY),
])
def test_numbers_that_no_trade_has_are_named_and_not_learned_from(
    market: Market, price: float, quantity: float, reason: Reason,
) -> None:
    assert market.trade(price, quantity) == [reason]
    assert market.trade(100.0) == []


def test_a_huge_trade_is_flagged_and_not_set_aside(market: Market) -> None:
    for step in range(600):
        market.trade(100.0, 1.0 + step % 5)
    assert market.trade(100.0, 5_000.0) == [Reason.OUTLIER]
    assert not 1 << Reason.OUTLIER & SET_ASIDE


def test_a_huge_step_of_the_price_is_flagged(market: Market) -> None:
    for step in range(1_200):
        market.trade(100.0 + 0.01 * (step % 2))
    assert market.trade(110.0) == [Reason.OUTLIER]


@pytest.mark.parametrize(("times", "reasons"), [
    ({"event": START - 20 * MS}, [Reason.EVENT_TIME_REVERSED, Reason.TRANSACTION_TIME_REVERSED]),
    ({"transaction": START - 20 * MS}, [Reason.TRANSACTION_TIME_REVERSED]),
    ({"event": START + 12 * MS, "transaction": START + 5 * MS}, [Reason.EVENT_FROM_FUTURE]),
    ({"received": START + 1_100 * MS}, [Reason.LATE_RECEIPT]),
    ({"event": START - 90_000 * SECOND, "transaction": START + 5 * MS}, [Reason.INVALID_TIME]),
    ({"transaction": START - 90_000 * SECOND}, [Reason.INVALID_TIME]),
    ({"event": 0}, []),
])
def test_times_that_cannot_be_are_named(times: dict[str, int], reasons: list[Reason]) -> None:
    market = Market()
    market.now = START - 10 * MS
    market.trade(event=START - 5 * MS)
    market.now = START
    assert market.trade(**{"event": START + 5 * MS, **times}) == reasons


def test_a_clock_that_is_behind_is_told_once(market: Market) -> None:
    behind = [market.trade(event=market.now + 1_200 * MS + step) for step in range(20)]
    assert behind == [[Reason.EVENT_FROM_FUTURE], *[[]] * 19]
    # A second late by the corrected clock.
    assert Reason.LATE_RECEIPT in market.trade(event=market.now - 10 * MS)


def test_one_time_from_far_in_the_future_makes_what_follows_late_for_a_while_only(market: Market) -> None:
    assert market.trade(event=market.now + 20 * 3_600 * SECOND) == [Reason.EVENT_FROM_FUTURE]
    late = [Reason.LATE_RECEIPT in market.trade() for _ in range(1_000)]
    assert late[0]
    assert not any(late[-200:])


def test_a_silence_is_told_once_and_by_class() -> None:
    gates = Gates()
    gates.depth(START, START, START)
    gates.trade(START, START, START, 1, 100.0, 1.0)
    assert gates.silence(START + 5 * SECOND) == 0
    assert reasons_of(gates.silence(START + 6 * SECOND)) == [Reason.STALE_STREAM]
    assert gates.silence(START + 60 * SECOND) == 0
    assert gates.depth(START + 61 * SECOND, START + 61 * SECOND, 0) == 0
    assert gates.counts() == {"STALE_STREAM": 1}
    assert reasons_of(gates.trade(START + 121 * SECOND, START + 121 * SECOND, 0, 2, 100.0, 1.0)) == [
        Reason.STALE_STREAM]


def test_best_prices_that_cross_or_lock_are_set_aside() -> None:
    gates = Gates()
    assert gates.ticker(START, START, START, 5, 1.0, 1.1) == 0
    assert reasons_of(gates.ticker(START, START, START, 6, 1.2, 1.1) & SET_ASIDE) == [Reason.CROSSED_BOOK]
    assert reasons_of(gates.ticker(START, START, START, 7, 1.1, 1.1) & SET_ASIDE) == [Reason.LOCKED_BOOK]
    assert reasons_of(gates.ticker(START, START, START, 4, 1.0, 1.1)) == [Reason.ID_REVERSED]


def test_mark_prices_have_times_too() -> None:
    gates = Gates()
    assert gates.mark(START, START) == 0
    assert reasons_of(gates.mark(START, START - MS)) == [Reason.EVENT_TIME_REVERSED]


def test_what_is_set_aside_is_what_the_contract_says() -> None:
    comments = {
        value.name: value.meaning
        for value in values((ROOT / "proto/sluice/market/v1/market.proto").read_text(), "DeadLetterReason")}
    assert {reason.name for reason in Reason} == comments.keys() - {"UNSPECIFIED"}
    for reason in Reason:
        wanted = "Set aside." if SET_ASIDE >> reason & 1 else "Flagged"
        assert comments[reason.name].startswith(wanted)

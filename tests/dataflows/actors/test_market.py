import math
from dataclasses import replace
from decimal import Decimal

import pytest

from dataflows.actors.market import FeatureRow, MarketActor
from dataflows.deadletters import DeadLetter
from dataflows.deadletters import DeadLetterReason as Reason
from dataflows.indicators.schema import MARKET_SCHEMA
from dataflows.tapes.frames import Frame
from sluice.errors import InvariantError
from sluice.instruments import InstrumentCatalog
from tests.dataflows.codecs import wire

BTC = InstrumentCatalog.shipped().require("BINANCE_USDM:BTCUSDT")
SECOND = wire.SECOND
START = 1_700_000_000 * SECOND

SNAPSHOT = wire.snapshot(10, [("100.0", "3"), ("99.9", "1")], [("100.2", "1"), ("100.3", "1")])
JOINED = [SNAPSHOT, wire.depth(9, 11, 8)]


def feed(actor: MarketActor, payloads: list[bytes], time_ns: int = START) -> list[DeadLetter | None]:
    return [actor.on_frame(Frame(number, time_ns, payload)) for number, payload in enumerate(payloads, start=1)]


def synced_actor() -> MarketActor:
    actor = MarketActor(BTC)
    assert feed(actor, JOINED) == [None, None]
    return actor


def value(row: FeatureRow, feature: str) -> float:
    column = MARKET_SCHEMA.index(feature)
    assert row.valid[column], f"{feature} is not valid"
    return row.values[column]


def test_a_new_actor_knows_nothing() -> None:
    row = MarketActor(BTC).on_tick(START)
    assert row.instrument == "BINANCE_USDM:BTCUSDT"
    assert row.schema_hash == MARKET_SCHEMA.hash
    assert (row.event_time_ns, row.sequence, row.events, row.dead_letters) == (START, 1, 0, 0)
    assert not any(row.valid)
    assert all(map(math.isnan, row.values))
    assert not row.top.synced
    assert math.isnan(row.top.best_bid)
    assert math.isnan(row.top.mark_price)
    assert row.top.event_time_ns == 0


def test_the_book_gives_top_spread_imbalance_and_microprice() -> None:
    row = synced_actor().on_tick(START + SECOND)
    top = row.top
    assert (top.best_bid, top.best_bid_quantity, top.best_ask, top.best_ask_quantity) == (100.0, 3.0, 100.2, 1.0)
    assert top.synced
    assert top.event_time_ns == START
    assert value(row, "spread_bps") == pytest.approx(1e4 * 0.2 / 100.1)
    assert value(row, "imbalance_1") == 0.5
    assert value(row, "imbalance_5") == value(row, "imbalance_20") == pytest.approx(2 / 6)
    microprice = (100.0 * 1 + 100.2 * 3) / 4
    assert value(row, "microprice_deviation_bps") == pytest.approx(1e4 * (microprice - 100.1) / 100.1)


def test_trades_give_the_flow_of_the_last_whole_seconds() -> None:
    actor = synced_actor()
    for second in range(1, 13):
        at = START + second * SECOND
        feed(actor, [wire.trade("100.0", "2"), wire.trade("100.0", "0.5", sold=True)], at)
    feed(actor, [wire.trade("100.0", "7", sold=True)], START + 12 * SECOND + 1)
    row = actor.on_tick(START + 13 * SECOND)
    assert value(row, "cvd_1s") == pytest.approx(1.5 - 7)
    assert value(row, "flow_imbalance_1s") == pytest.approx(-5.5 / 9.5)
    assert value(row, "cvd_10s") == pytest.approx(10 * 1.5 - 7)
    assert value(row, "trade_rate_10s") == pytest.approx(2.1)
    assert not row.valid[MARKET_SCHEMA.index("cvd_60s")]


def test_prices_give_returns_volatility_and_bar_indicators_once_they_are_warm() -> None:
    actor = synced_actor()
    rows = []
    for second in range(1, 70):
        at = START + second * SECOND
        feed(actor, [wire.trade(f"{100 + second % 2}.0", "1")], at)
        rows.append(actor.on_tick(at + SECOND // 2))
    valid_from = {
        feature: next(number for number, row in enumerate(rows, start=1) if row.valid[column])
        for column, feature in enumerate(MARKET_SCHEMA.features)
    }
    assert valid_from["spread_bps"] == 1
    assert valid_from["cvd_1s"] == valid_from["return_1s_bps"] == 2
    assert valid_from["return_60s_bps"] == valid_from["realised_volatility_60s_bps"] == valid_from["cvd_60s"] == 61
    assert valid_from["average_true_range"] == valid_from["rsi_14"] == 16
    assert valid_from["adx_14"] == 29
    row = rows[-1]
    assert all(row.valid)
    assert value(row, "average_true_range") == pytest.approx(1.0)
    assert value(row, "atr_bps") == pytest.approx(1e4 / 100.1)
    assert value(row, "rsi_14") == pytest.approx(50, abs=5)
    assert value(row, "return_60s_bps") == value(row, "realised_volatility_60s_bps") == 0.0


def test_nothing_is_valid_and_the_top_is_unknown_while_the_book_is_stale() -> None:
    actor = synced_actor()
    for second in range(1, 70):
        feed(actor, [wire.trade("100.0", "1")], START + second * SECOND)
    assert all(actor.on_tick(START + 70 * SECOND).valid)
    [gap] = feed(actor, [wire.depth(20, 21, 19, [("100.1", "1")])], START + 70 * SECOND)
    assert gap is not None
    assert gap.reason is Reason.SEQUENCE_GAP
    stale = actor.on_tick(START + 71 * SECOND)
    assert not any(stale.valid)
    assert not stale.top.synced
    assert math.isnan(stale.top.best_bid)
    feed(actor, [wire.snapshot(21, [("100.0", "1")], [("100.2", "1")])], START + 72 * SECOND)
    row = actor.on_tick(START + 73 * SECOND)
    assert row.top.synced
    assert row.top.best_bid == 100.1
    assert row.valid[MARKET_SCHEMA.index("spread_bps")]
    assert not row.valid[MARKET_SCHEMA.index("return_1s_bps")]
    assert (row.events, row.dead_letters) == (72, 1)


def test_a_side_without_levels_is_no_market() -> None:
    actor = synced_actor()
    feed(actor, [wire.depth(12, 13, 11, [], [("100.2", "0"), ("100.3", "0")])])
    row = actor.on_tick(START + SECOND)
    assert not row.top.synced
    assert not any(row.valid)


def test_a_later_best_price_message_is_the_top_until_the_book_has_caught_up() -> None:
    actor = synced_actor()
    feed(actor, [wire.ticker(11, "50.0", "60.0"), wire.ticker(15, "100.1", "100.2", "4", "5")], START + 1)
    top = actor.on_tick(START + 2).top
    assert (top.best_bid, top.best_bid_quantity, top.best_ask, top.best_ask_quantity) == (100.1, 4.0, 100.2, 5.0)
    assert top.event_time_ns == START + 1
    feed(actor, [wire.ticker(14, "10.0", "11.0")], START + 3)
    assert actor.on_tick(START + 3).top.best_bid == 100.1
    feed(actor, [wire.depth(12, 15, 11, [("100.1", "6")])], START + 4)
    top = actor.on_tick(START + 5).top
    assert (top.best_bid, top.best_bid_quantity) == (100.1, 6.0)


def test_a_best_price_message_with_a_wrong_update_id_is_not_believed_for_long() -> None:
    actor = synced_actor()
    feed(actor, [wire.ticker(2**61, "90.0", "91.0")], START + 1)
    assert actor.on_tick(START + 1).top.best_bid == 90.0
    feed(actor, [wire.depth(12, 13, 11)], START + 2 * SECOND)
    assert actor.on_tick(START + 2 * SECOND).top.best_bid == 100.0
    feed(actor, [wire.ticker(15, "100.1", "100.2")], START + 2 * SECOND + 1)
    assert actor.on_tick(START + 2 * SECOND + 1).top.best_bid == 100.1


def test_a_mark_price_is_told_with_the_top() -> None:
    actor = synced_actor()
    feed(actor, [wire.mark_price("100.07")])
    assert actor.on_tick(START).top.mark_price == 100.07


def test_only_prints_of_the_order_book_feed_features_and_only_of_one_trade_stream() -> None:
    actor = synced_actor()
    others = [
        wire.trade("500.0", "9", execution="INSURANCE_FUND"), wire.trade("500.0", "9", execution="NA"),
        wire.trade("500.0", "9", execution="ADL"), wire.kline(), wire.force_order(), wire.trade("500.0", "0"),
    ]
    at = START + SECOND
    assert feed(actor, [*others, wire.trade("100.0", "1"), wire.aggregate_trade("100.0", "1")], at) == [None] * 8
    row = actor.on_tick(START + 2 * SECOND)
    assert value(row, "cvd_1s") == 1.0
    assert [tuple(bar)[1:] for bar in actor.bars().tolist()] == [(100.0, 100.0, 100.0, 100.0, 1.0)]
    assert (row.events, row.dead_letters) == (10, 0)


def test_where_the_trades_that_are_read_end_the_other_kind_is_read_and_no_fill_counts_twice() -> None:
    actor = synced_actor()
    for second in range(1, 41):
        both = [wire.trade("100.0", "1"), wire.aggregate_trade("100.0", "1")]
        feed(actor, both if second <= 20 else both[1:], START + second * SECOND)
    row = actor.on_tick(START + 41 * SECOND)
    assert value(row, "cvd_10s") == 10.0
    assert actor.bars()["volume"].sum() == 40 - 10


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"{", Reason.MALFORMED_JSON),
        (b'{"e":"trade","s":"BTCUSDT"}', Reason.MALFORMED_EVENT),
        (b'{"e":"24hrTicker","s":"BTCUSDT"}', Reason.UNKNOWN_EVENT),
        (wire.depth(12, 13, 11, symbol="ETHUSDT"), Reason.UNKNOWN_INSTRUMENT),
        (wire.snapshot(12, [], [], symbol="BTCUSD_PERP"), Reason.UNKNOWN_INSTRUMENT),
        (wire.trade("0", "1"), Reason.INVALID_PRICE),
        (wire.depth(12, 13, 11, [("100.05", "1")]), Reason.INVALID_PRICE),
        (wire.depth(12, 13, 11, [("100.1", "-1")]), Reason.INVALID_QUANTITY),
        (wire.ticker(12, "100.2", "100.2"), Reason.LOCKED_BOOK),
        (wire.ticker(12, "100.3", "100.2"), Reason.CROSSED_BOOK),
        (wire.depth(12, 13, 11, [("100.2", "1")]), Reason.LOCKED_BOOK),
        (wire.depth(12, 13, 11, [("100.3", "1")]), Reason.CROSSED_BOOK),
        (wire.depth(13, 14, 12, []), Reason.SEQUENCE_GAP),
    ],
)
def test_a_frame_that_cannot_be_used_is_a_counted_dead_letter(payload: bytes, reason: Reason) -> None:
    actor = synced_actor()
    letter = actor.on_frame(Frame(77, START + 5, payload))
    assert letter is not None
    assert letter.reason is reason
    assert letter.message
    assert (letter.sequence, letter.receive_time_ns, letter.instrument) == (77, START + 5, BTC.key)
    assert letter.payload == payload[:512]
    row = actor.on_tick(START + SECOND)
    assert (row.events, row.dead_letters) == (2, 1)


def test_a_snapshot_older_than_what_waits_is_a_dead_letter() -> None:
    actor = MarketActor(BTC)
    letters = feed(actor, [wire.depth(20, 21, 19), wire.snapshot(15, [], [])])
    assert letters[0] is None
    assert letters[1] is not None
    assert letters[1].reason is Reason.SEQUENCE_GAP


def test_a_refused_difference_leaves_the_book_as_it_was_and_the_next_one_shows_the_gap() -> None:
    actor = synced_actor()
    feed(actor, [wire.depth(12, 13, 11, [("100.1", "9"), ("0", "1")])])
    assert actor.on_tick(START).top.best_bid == 100.0
    [letter] = feed(actor, [wire.depth(14, 15, 13)])
    assert letter is not None
    assert letter.reason is Reason.SEQUENCE_GAP


def test_time_does_not_go_back_when_a_frame_is_earlier_than_one_before() -> None:
    actor = synced_actor()
    feed(actor, [wire.trade("100.0", "1")], START + 5 * SECOND)
    feed(actor, [wire.trade("100.0", "2")], START + 2 * SECOND)
    assert value(actor.on_tick(START + 6 * SECOND), "cvd_1s") == 3.0


def test_a_tick_before_what_was_read_is_refused_because_it_would_look_ahead() -> None:
    actor = synced_actor()
    with pytest.raises(InvariantError, match=f"at or after {START}, was {START - 1}"):
        actor.on_tick(START - 1)


def test_rows_are_numbered_without_holes() -> None:
    actor = MarketActor(BTC)
    assert [actor.on_tick(START + number).sequence for number in range(3)] == [1, 2, 3]


def test_an_inverse_instrument_is_read_by_the_same_actor() -> None:
    perpetual = InstrumentCatalog.shipped().require("BINANCE_COINM:BTCUSD_PERP")
    actor = MarketActor(replace(perpetual, tick_size=Decimal("0.1")))
    book = wire.snapshot(10, [("100.0", "3")], [("100.1", "1")], symbol="BTCUSD_PERP", pair="BTCUSD")
    assert feed(actor, [book, wire.depth(9, 11, 8, symbol="BTCUSD_PERP")]) == [None, None]
    assert actor.on_tick(START).top.best_bid_quantity == 3.0


def test_warming_compiles_everything_and_leaves_nothing_behind() -> None:
    MarketActor.warm()
    assert MarketActor(BTC).on_tick(START).events == 0


def test_a_trade_that_comes_twice_counts_once_and_a_missing_one_is_flagged() -> None:
    actor = synced_actor()
    first, third = (wire.trade("100.0", "2").replace(b'"t":0', f'"t":{number}'.encode()) for number in (71, 73))
    letters = feed(actor, [first, first, third], START + SECOND)
    assert [letter and letter.reason for letter in letters] == [None, Reason.DUPLICATE_ID, None]
    row = actor.on_tick(START + 2 * SECOND)
    assert value(row, "cvd_1s") == 4.0
    assert {"DUPLICATE_ID": 1, "MISSING_IDS": 1}.items() <= dict(row.quality).items()


def test_a_price_far_off_the_book_is_set_aside_until_a_second_trade_confirms_it() -> None:
    actor = synced_actor()
    letters = feed(actor, [wire.trade("10.0", "2"), wire.trade("100.0", "1")], START + SECOND)
    assert letters[0] is not None
    assert letters[0].reason is Reason.FAR_PRICE
    assert letters[1] is None
    assert value(actor.on_tick(START + 2 * SECOND), "cvd_1s") == 1.0

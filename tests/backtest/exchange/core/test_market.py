"""What the exchange tells of the market: depth, prices, trades, klines, statistics, and what a bad frame does."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest.exchange.core import Exchange, ExchangeError
from backtest.exchange.core.bars import INTERVALS, Bars, close_time, open_time
from backtest.exchange.core.listings import decimals, listings_of
from dataflows.tapes.frames import Frame
from sluice.decimals import ZERO
from sluice.instruments import InstrumentCatalog
from tests.backtest.exchange.core.worlds import ASKS, BIDS, D, World

MINUTE = 60_000


def test_depth_is_the_recorded_book_whatever_we_took() -> None:
    from tests.backtest.exchange.core.worlds import BUY

    world = World()
    world.place(BUY, "4")

    depth = world.exchange.market("BTCUSDT").depth(3)

    assert depth.bids == tuple((D(price), D(quantity)) for price, quantity in BIDS[:3])
    assert depth.asks == tuple((D(price), D(quantity)) for price, quantity in ASKS[:3])
    assert depth.last_update_id == world.ids
    assert depth.transaction_time_ms > 0
    top = world.exchange.market("BTCUSDT").top()
    assert (top.bid, top.bid_quantity, top.ask) == (D(1000), D(2), D("1000.1"))


def test_a_gap_empties_the_answer_until_a_snapshot_joins() -> None:
    world = World()
    world.ids += 100
    world.depth()

    assert not world.exchange.market("BTCUSDT").synced
    assert world.exchange.market("BTCUSDT").depth(5).bids == ()
    world.snapshot(BIDS, ASKS)
    world.depth()
    assert len(world.exchange.market("BTCUSDT").depth(5).bids) == 5


def test_best_prices_come_from_the_ticker_where_there_is_no_book() -> None:
    exchange = Exchange(listings_of(InstrumentCatalog.shipped()))
    payload = b'{"e":"bookTicker","u":7,"s":"BTCUSDT","b":"9.9","B":"1","a":"10.0","A":"2","T":5,"E":6}'
    exchange.on_frame(Frame(1, 10**15, payload))

    top = exchange.market("BTCUSDT").top()

    assert (top.bid, top.ask, top.ask_quantity, top.update_id, top.time_ms) == (D("9.9"), D(10), D(2), 7, 5)


def test_mark_is_told_or_else_the_middle_of_the_book() -> None:
    world = World()
    assert world.exchange.market("BTCUSDT").premium().mark_price == D("1000.05")
    exchange = Exchange(listings_of(InstrumentCatalog.shipped()))
    for frame in world.frames:
        if b"markPrice" not in frame.payload:
            exchange.on_frame(frame)
    assert exchange.market("BTCUSDT").premium().mark_price == D("1000.05")
    assert exchange.market("ETHUSDT").premium().mark_price == ZERO


def test_single_trades_count_once_and_aggregates_are_rows_of_their_own() -> None:
    world = World()
    world.trade("1000.0", "1")
    world.trade("1000.0", "2")
    world.feed({"e": "aggTrade", "E": world.ms, "T": world.ms, "s": "BTCUSDT", "a": 5, "p": "1000.0", "q": "3", "f": 1,
                "l": 2, "m": False})
    view = world.exchange.market("BTCUSDT")

    assert view.day().volume == D(3)
    assert [row.quantity for row in view.trades(10)] == [D(1), D(2)]
    assert [(row.aggregate_id, row.quantity) for row in view.aggregate_trades(10)] == [(5, D(3))]
    assert view.aggregate_trades(10, from_id=6) == []


def test_tape_of_aggregate_trades_alone_counts_those() -> None:
    world = World()
    world.feed({"e": "aggTrade", "E": world.ms, "T": world.ms, "s": "BTCUSDT", "a": 5, "p": "1000.0", "q": "3", "f": 1,
                "l": 2, "m": True})
    view = world.exchange.market("BTCUSDT")

    assert (view.day().volume, view.day().trades) == (D(3), 2)
    assert [row.buyer_is_maker for row in view.trades(5)] == [True]


@pytest.mark.parametrize("payload", [
    b"", b"{}", b"nonsense", b'{"e":"trade","s":"BTCUSDT"}', b'{"e":"depthUpdate","s":"BTCUSDT","b":1}',
    b'{"e":"trade","s":"BTCUSDT","t":1,"p":"NaN","q":"1","T":1,"m":true}',
    b'{"e":"trade","s":"BTCUSDT","t":1,"p":"-1","q":"1","T":1,"m":true}',
    b'{"e":"trade","s":"BTCUSDT","t":1,"p":"1","q":"Infinity","T":1,"m":true}',
    b'{"e":"markPriceUpdate","s":"BTCUSDT","p":"0"}', b'{"e":"bookTicker","s":"BTCUSDT"}', b"[" * 100_000,
    b'{"e":"trade","s":"\xff"}',
])
def test_frame_that_cannot_be_used_changes_nothing(payload: bytes) -> None:
    world = World()
    view = world.exchange.market("BTCUSDT")
    before = view.depth(5), view.day().trades, view.premium().mark_price

    world.exchange.on_frame(Frame(99, world.ms * 1_000_000, payload))

    assert (view.depth(5), view.day().trades, view.premium().mark_price) == before
    assert view.top().bid == D(1000)


def test_klines_of_an_unknown_interval_are_refused() -> None:
    with pytest.raises(ExchangeError, match="-1120"):
        World().exchange.market("BTCUSDT").klines("7m", 10)


def filled(trades: list[tuple[int, int, int]]) -> Bars:
    bars = Bars()
    for number, (time_ms, price, lots) in enumerate(trades):
        bars.add(Decimal(price), Decimal(lots), Decimal(price * lots), time_ms=time_ms, buyer_is_maker=price % 2 == 0,
                 first_id=number, last_id=number)
    return bars


@given(st.lists(st.tuples(st.integers(0, 3 * 86_400_000), st.integers(1, 50), st.integers(1, 9)), min_size=1),
       st.sampled_from(["1m", "5m", "1h", "1d"]))
def test_bars_hold_what_was_traded_in_them(trades: list[tuple[int, int, int]], interval: str) -> None:
    trades.sort()
    last_ms = trades[-1][0]
    length = INTERVALS[interval]

    rows = filled(trades).rows(interval, 1500, last_ms)

    assert [row.open_time_ms for row in rows[1:]] == [row.open_time_ms + length for row in rows[:-1]]
    for row in rows:
        inside = [t for t in trades if row.open_time_ms <= t[0] <= row.close_time_ms]
        assert row.volume == sum(lots for _, _, lots in inside)
        assert row.trades == len(inside)
        if inside:
            traded = [D(price) for _, price, _ in inside]
            assert (row.open, row.close) == (traded[0], traded[-1])
            assert (row.high, row.low) == (max(traded), min(traded))
        else:
            assert row.open == row.high == row.low == row.close


def test_bars_are_bounded_and_a_long_silence_costs_no_more() -> None:
    bars = filled([(0, 5, 1), (10**12, 6, 1)])

    rows = bars.rows("1m", 5000, 10**12)
    assert len(rows) == 1500
    assert rows[-1].close == 6


def test_day_forgets_what_is_older_than_a_day() -> None:
    bars = filled([(0, 5, 1), (86_400_000 - MINUTE, 7, 2), (86_400_000 + MINUTE, 6, 4)])

    day = bars.day(86_400_000 + 2 * MINUTE)

    assert (day.volume, day.high, day.low, day.last, day.last_quantity) == (D(6), D(7), D(6), D(6), D(4))
    assert (day.value, round(day.weighted_average, 6)) == (D(38), D("6.333333"))


def test_months_and_weeks_begin_where_the_calendar_says() -> None:
    christmas = 1_703_500_000_000  # Monday, 2023-12-25
    assert open_time("1w", christmas) == 1_703_462_400_000
    assert open_time("1M", christmas) == 1_701_388_800_000
    assert close_time("1M", 1_701_388_800_000) == 1_704_067_199_999


def test_decimals_of_steps() -> None:
    assert [decimals(D(step)) for step in ("0.10", "0.001", "1", "10")] == [2, 3, 0, 0]


def test_contract_that_ends_says_when() -> None:
    from dataclasses import replace

    base = InstrumentCatalog.shipped().require("BINANCE_USDM:BTCUSDT")
    (listing,) = listings_of([replace(base, symbol="BTCUSDT_261225")])

    assert (listing.pair, listing.contract_type, listing.delivery_ms) == (
        "BTCUSDT", "CURRENT_QUARTER", 1_798_185_600_000)

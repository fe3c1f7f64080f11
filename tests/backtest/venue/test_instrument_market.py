"""A recorded market of one instrument: what a new snapshot means to an order that rests while the book is good."""

from backtest.venue.instrument_market import InstrumentMarket
from tests.backtest.matching.builders import BTCUSDT, FEES, an_order, trades
from tests.dataflows.codecs import wire

NOW_NS = 1_700_000_000_000_000_000


def a_market() -> InstrumentMarket:
    market = InstrumentMarket(BTCUSDT, FEES)
    market.on_frame(wire.snapshot(10, [("100.0", "3")], [("100.2", "1")]), NOW_NS)
    market.on_frame(wire.depth(11, 12, 10), NOW_NS)
    market.engine.submit(an_order(quantity="2", price="100.0"), NOW_NS)
    return market


def queue(market: InstrumentMarket) -> list[str]:
    return [str(order.queue_ahead) for order in market.engine.open_orders]


def test_a_newer_snapshot_moves_our_order_forward_once_it_has_joined_the_stream_again() -> None:
    market = a_market()
    market.on_frame(wire.snapshot(30, [("100.0", "1")], [("100.2", "1")]), NOW_NS)
    assert market.book.synced
    assert queue(market) == ["3.0"]

    market.on_frame(wire.depth(29, 31, 28), NOW_NS)
    assert market.book.synced
    assert queue(market) == ["1.0"]


def test_a_newer_snapshot_whose_asks_are_below_our_bid_fills_it() -> None:
    market = a_market()
    market.on_frame(wire.snapshot(30, [("99.0", "1")], [("99.9", "1")]), NOW_NS)

    assert trades(market.on_frame(wire.depth(29, 31, 28), NOW_NS)) == [("100.0", "1.0")]

"""Names of streams and the routes that carry them."""

import pytest

from backtest.exchange.streams.names import FORMS, Route, StreamKind, parse_stream


@pytest.mark.parametrize(("name", "kind", "symbol", "interval_ms"), [
    ("btcusdt@depth", StreamKind.DEPTH, "BTCUSDT", 250),
    ("btcusdt@depth@100ms", StreamKind.DEPTH, "BTCUSDT", 100),
    ("btcusdt@depth20@500ms", StreamKind.PARTIAL_DEPTH, "BTCUSDT", 500),
    ("btcusd_perp@bookTicker", StreamKind.BOOK_TICKER, "BTCUSD_PERP", 0),
    ("!markPrice@arr@1s", StreamKind.MARK_PRICE, "", 1000),
    ("!markPrice@arr", StreamKind.MARK_PRICE, "", 3000),
    ("btcusdt@markPrice", StreamKind.MARK_PRICE, "BTCUSDT", 3000),
    ("btcusdt@kline_1M", StreamKind.KLINE, "BTCUSDT", 250),
    ("!forceOrder@arr", StreamKind.FORCE_ORDER, "", 0),
    ("btcusd@indexPrice", StreamKind.INDEX_PRICE, "BTCUSD", 3000),
])
def test_known_names_are_understood(name: str, kind: StreamKind, symbol: str, interval_ms: int) -> None:
    stream = parse_stream(name)
    assert stream is not None
    assert (stream.kind, stream.symbol, stream.interval_ms) == (kind, symbol, interval_ms)


def test_a_continuous_kline_names_pair_and_contract() -> None:
    stream = parse_stream("btcusdt_next_quarter@continuousKline_5m")
    assert stream is not None
    assert (stream.symbol, stream.contract, stream.interval) == ("BTCUSDT", "NEXT_QUARTER", "5m")


@pytest.mark.parametrize("name", [
    "", "@", "btcusdt", "btcusdt@", "@depth", "BTCUSDT@depth", "btcusdt@depth7", "btcusdt@depth@50ms",
    "btcusdt@kline_7m", "!nothing", "!", "btcusd@indexPrice@1s", "btcusdt@kline_1m@1s", "x" * 200 + "@depth",
])
def test_what_the_venue_does_not_know_stays_silent(name: str) -> None:
    assert parse_stream(name) is None


@pytest.mark.parametrize(("name", "routes"), [
    ("btcusdt@depth", {Route.PUBLIC, Route.UNROUTED}),
    ("btcusdt@bookTicker", {Route.PUBLIC, Route.UNROUTED}),
    ("btcusdt@aggTrade", {Route.MARKET}),
    ("btcusdt@markPrice", {Route.MARKET}),
    ("!ticker@arr", {Route.MARKET}),
    ("btcusdt@trade", {Route.PUBLIC, Route.MARKET, Route.UNROUTED}),
    ("btcusd_perp@aggTrade", {Route.MARKET, Route.UNROUTED}),
    ("btcusd_240927@aggTrade", {Route.MARKET, Route.UNROUTED}),
])
def test_a_stream_is_delivered_on_its_routes_alone_and_at_the_host_of_coin_m(name: str, routes: set[Route]) -> None:
    stream = parse_stream(name)
    assert stream is not None
    assert {route for route in Route if stream.delivered_on(route)} == routes | {Route.COINM}


def test_every_kind_of_stream_has_a_form_whose_example_is_understood() -> None:
    found = [parse_stream(example) for example in FORMS.values()]
    assert {stream.kind for stream in found if stream} == set(StreamKind)
    assert None not in found

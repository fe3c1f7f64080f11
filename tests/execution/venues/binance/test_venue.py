"""Orders and cancels over real sockets: what an answer proves is told, and what it does not is unknown."""

import asyncio
import json
from decimal import Decimal

import pytest

from execution.venues.binance.venue import BinanceVenue
from execution.venues.interface import VenueEventKind, VenueOutcomeUnknown
from sluice.config.settings import RunSettings, Settings
from sluice.envelope import client_order_id
from sluice.errors import ConfigurationError, NotRunningError
from sluice.instruments import InstrumentCatalog
from tests.execution.venues.binance.requests_made import BTC, an_order
from tests.execution.venues.binance.scripted_exchange import ScriptedExchange, Twist, a_scripted_exchange, error
from tests.execution.venues.binance.venues import NOW_NS, Stand, a_stand, settings_of

PLACE, CANCEL = "POST /fapi/v1/order", "DELETE /fapi/v1/order"
ID = client_order_id("d-1")
CUT = Twist()
REST_OR_SOCKET = pytest.mark.parametrize("route", ["rest", "websocket"])


def kinds(events: object) -> list[str]:
    return [event.kind.name for event in events]  # type: ignore[attr-defined]  # a list of events


@REST_OR_SOCKET
def test_an_order_is_accepted_filled_and_cancelled(route: str) -> None:
    async def story() -> None:
        async with a_stand(order_route=route) as stand:
            accepted = await stand.venue.submit(an_order(), NOW_NS)
            assert kinds(accepted) == ["ACCEPTED"]
            stand.exchange.fill(ID, "0.004")
            [fill] = await stand.events(1)
            assert fill.fill is not None
            assert (fill.fill.quantity, fill.fill.fee) == (Decimal("0.004"), Decimal("0.1200002"))
            assert fill.fill.maker
            assert fill.venue_order_id == accepted[0].venue_order_id
            assert kinds(await stand.venue.cancel(ID, BTC, NOW_NS)) == ["CANCELED"]
            assert kinds(await stand.events(1)) == ["CANCELED"]
            assert stand.venue.events_received == 2

    asyncio.run(story())


def test_the_request_carries_time_of_sending_key_and_patience() -> None:
    async def story() -> None:
        async with a_stand(recv_window_ms=3_000, synchronise_clock=False) as stand:
            await stand.venue.submit(an_order(), NOW_NS + 7_999_999)
            [parameters] = stand.exchange.asked(PLACE)
            assert parameters["timestamp"] == str(NOW_NS // 1_000_000 + 7)
            assert parameters["recvWindow"] == "3000"
            assert list(parameters)[-1] == "signature"

    asyncio.run(story())


@pytest.mark.parametrize(("twist", "text"), [
    (error(400, -2019, "Margin is insufficient."), "-2019 Margin is insufficient."),
    (error(400, -5022, "Post Only"), "-5022 Post Only"),
    (error(503, -1008, "Request throttled"), "-1008 Request throttled"),
    (Twist(503, "Service Unavailable."), "Service Unavailable."),
    (Twist(403, "<html>"), "<html>"),
])
def test_a_certain_failure_is_a_rejection_with_the_exchanges_words(twist: Twist, text: str) -> None:
    async def story() -> None:
        async with a_stand() as stand:
            stand.exchange.script[PLACE].append(twist)
            [event] = await stand.venue.submit(an_order(), NOW_NS)
            assert (event.kind, event.message) == (VenueEventKind.REJECTED, text)
            assert event.event_time_ns >= NOW_NS

    asyncio.run(story())


@pytest.mark.parametrize("twist", [
    Twist(503, "Unknown error, please check your request or try again later.", done=True),
    Twist(503, "Unknown error, please check your request or try again later."),
    error(400, -1007, done=True), error(400, -1006), error(400, -4116), Twist(502, "bad gateway"), Twist(200, "{"),
    Twist(200, '{"orderId":1}', done=True), Twist(200, "{}", wait_s=1.0), CUT, Twist(done=True)])
def test_what_an_answer_does_not_prove_is_unknown(twist: Twist) -> None:
    async def story() -> None:
        async with a_stand() as stand:
            stand.exchange.script[PLACE].append(twist)
            with pytest.raises(VenueOutcomeUnknown):
                await stand.venue.submit(an_order(), NOW_NS)
            assert len(stand.exchange.asked(PLACE)) == 1
            if stand.exchange.orders:
                stand.exchange.script[CANCEL].append(twist)
                with pytest.raises(VenueOutcomeUnknown):
                    await stand.venue.cancel(ID, BTC, NOW_NS)

    asyncio.run(story())


@pytest.mark.parametrize("done", [False, True])
def test_an_order_connection_that_breaks_leaves_the_fate_unknown_and_is_made_again(done: bool) -> None:
    async def story() -> None:
        async with a_stand(order_route="websocket") as stand:
            stand.exchange.script["order.place"].append(Twist(done=done))
            with pytest.raises(VenueOutcomeUnknown):
                await stand.venue.submit(an_order(), NOW_NS)
            assert kinds(await stand.venue.submit(an_order("d-2"), NOW_NS)) == ["ACCEPTED"]

    asyncio.run(story())


def test_a_refused_timestamp_measures_the_clock_and_sends_once_more() -> None:
    async def story() -> None:
        async with a_stand() as stand:
            stand.exchange.script[PLACE].append(error(400, -1021))
            stand.exchange.server_ms += 5_000
            assert kinds(await stand.venue.submit(an_order(), NOW_NS)) == ["ACCEPTED"]
            first, second = stand.exchange.asked(PLACE)
            assert int(second["timestamp"]) - int(first["timestamp"]) == 5_000

    asyncio.run(story())


@pytest.mark.parametrize(("status", "told", "pause_s"), [(429, "7", 7), (418, "", 120)])
def test_after_a_limit_nothing_is_sent_until_the_exchange_allows(status: int, told: str, pause_s: int) -> None:
    async def story() -> None:
        async with a_stand() as stand:
            stand.exchange.script[PLACE].append(error(status, -1003, retry_after=told))
            assert kinds(await stand.venue.submit(an_order(), NOW_NS)) == ["REJECTED"]
            with pytest.raises(VenueOutcomeUnknown, match="not sent"):
                await stand.venue.cancel(ID, BTC, NOW_NS)
            assert stand.exchange.asked(CANCEL) == []
            stand.clock.advance(NOW_NS + (pause_s + 1) * 10**9)
            assert kinds(await stand.venue.submit(an_order(), stand.clock.now_ns())) == ["ACCEPTED"]

    asyncio.run(story())


@REST_OR_SOCKET
def test_too_many_orders_stop_orders_and_no_cancel(route: str) -> None:
    async def story() -> None:
        async with a_stand(order_route=route) as stand:
            await stand.venue.submit(an_order(), NOW_NS)
            stand.exchange.script[PLACE if route == "rest" else "order.place"].append(error(429, -1015))
            [event] = await stand.venue.submit(an_order("d-2"), NOW_NS)
            assert event.message.startswith("-1015")
            [event] = await stand.venue.submit(an_order("d-3"), NOW_NS)
            assert "no new orders" in event.message
            assert kinds(await stand.venue.cancel(ID, BTC, NOW_NS)) == ["CANCELED"]

    asyncio.run(story())


@pytest.mark.parametrize(("data", "pause_s"), [
    ({}, 120), ({"retryAfter": 7}, 7), ({"retryAfter": NOW_NS // 10**6 + 500_000}, 500)])
def test_a_ban_that_the_order_api_tells_is_kept_to_its_end(data: dict[str, int], pause_s: int) -> None:
    async def story() -> None:
        async with a_stand(order_route="websocket", synchronise_clock=False) as stand:
            banned = json.dumps({"code": -1003, "msg": "x", "data": data})
            stand.exchange.script["order.place"].append(Twist(418, banned))
            await stand.venue.submit(an_order(), NOW_NS)
            stand.clock.advance(NOW_NS + (pause_s - 1) * 10**9)
            [event] = await stand.venue.submit(an_order("d-2"), stand.clock.now_ns())
            assert "not sent" in event.message
            stand.clock.advance(NOW_NS + (pause_s + 1) * 10**9)
            assert kinds(await stand.venue.submit(an_order("d-3"), stand.clock.now_ns())) == ["ACCEPTED"]

    asyncio.run(story())


def test_the_end_of_an_order_is_told_with_the_fills_that_were_missed_and_not_before() -> None:
    async def story() -> None:
        async with a_stand() as stand:
            await stand.venue.submit(an_order(), NOW_NS)
            stand.exchange.fill(ID, "0.004", tell=False)
            assert await stand.venue.cancel(ID, BTC, NOW_NS) == []
            assert kinds(await stand.events(3)) == ["ACCEPTED", "FILL", "CANCELED"]

    asyncio.run(story())


def test_an_exchange_that_is_away_has_not_got_the_order() -> None:
    async def story() -> None:
        async with a_stand() as stand:
            host, _, _ = stand.exchange.url.partition(":")
            line = stand.venue._line
            assert line is not None
            line.rest._base_urls = dict.fromkeys(line.rest._base_urls, f"http://{host}:9")
            [event] = await stand.venue.submit(an_order(), NOW_NS)
            assert event.kind is VenueEventKind.REJECTED
            assert event.message.startswith("not sent")
            with pytest.raises(VenueOutcomeUnknown, match="not sent"):
                await stand.venue.cancel(ID, BTC, NOW_NS)

    asyncio.run(story())


def test_a_cancel_of_what_is_over_is_refused_and_the_order_is_asked_about() -> None:
    async def story() -> None:
        async with a_stand() as stand:
            await stand.venue.submit(an_order(), NOW_NS)
            stand.exchange.fill(ID, "0.010", tell=False)
            assert kinds(await stand.venue.cancel(ID, BTC, NOW_NS)) == ["CANCEL_REJECTED"]
            assert kinds(await stand.events(2)) == ["ACCEPTED", "FILL"]

    asyncio.run(story())


def test_coinm_goes_to_its_own_paths_in_the_same_way() -> None:
    async def story() -> None:
        async with a_stand(both=True) as stand:
            assert kinds(await stand.venue.submit(an_order(inverse=True, quantity="3"), NOW_NS)) == ["ACCEPTED"]
            [parameters] = stand.exchange.asked("POST /dapi/v1/order")
            assert (parameters["symbol"], parameters["quantity"]) == ("BTCUSD_PERP", "3")
            paths = [parameters["path"] for parameters in stand.exchange.asked("STREAM")]
            assert paths == ["/private/ws?listenKey=key1", "/ws/key2"]

    asyncio.run(story())


def test_live_orders_take_the_second_step_whoever_made_the_settings() -> None:
    run = RunSettings(environment="live")
    with pytest.raises(ConfigurationError, match="live_orders must be true"):
        BinanceVenue.from_settings(Settings(run=run), InstrumentCatalog.shipped())


async def starting(exchange: ScriptedExchange) -> None:
    venue = BinanceVenue.from_settings(settings_of(exchange), InstrumentCatalog.shipped())
    try:
        await venue.start()
    finally:
        await venue.close()


def test_a_start_is_refused_where_the_account_or_the_filters_are_not_ours() -> None:
    async def story() -> None:
        from dataclasses import replace

        async with a_scripted_exchange() as exchange:
            exchange.hedge_mode = True
            with pytest.raises(ConfigurationError, match="must be one-way"):
                await starting(exchange)
            exchange.hedge_mode = False
            exchange.instruments = [replace(BTC, tick_size=Decimal("0.5"))]
            with pytest.raises(ConfigurationError, match=r"tick_size of \S+ must be the exchange's 0\.5"):
                await starting(exchange)
            exchange.instruments = []
            with pytest.raises(ConfigurationError, match="must be listed"):
                await starting(exchange)
            exchange.script["GET /fapi/v1/exchangeInfo"].append(error(429, -1003, "Too many requests"))
            with pytest.raises(NotRunningError, match="-1003 Too many requests"):
                await starting(exchange)
            exchange.script["GET /fapi/v1/exchangeInfo"].append(error(401, -2015, "Invalid API-key"))
            with pytest.raises(ConfigurationError, match="-2015 Invalid API-key"):
                await starting(exchange)
            exchange.script["GET /fapi/v1/time"].append(Twist(502, ""))
            with pytest.raises(NotRunningError, match="must tell its time"):
                await starting(exchange)

    asyncio.run(story())


def test_a_venue_that_was_not_started_says_so() -> None:
    async def story(stand: Stand) -> None:
        await stand.venue.close()
        with pytest.raises(NotRunningError, match="must be started"):
            await stand.venue.submit(an_order(), NOW_NS)

    async def around() -> None:
        async with a_stand() as stand:
            await story(stand)

    asyncio.run(around())

"""The user stream breaks, repeats, loses and expires; no fill is missed by that."""

import asyncio
import json
from decimal import Decimal

import pytest

from execution.venues.binance.products import Product
from execution.venues.interface import Holdings, VenueEvent, VenueEventKind, VenueOutcomeUnknown
from sluice.envelope import client_order_id
from sluice.errors import InvariantError
from tests.execution.venues.binance.messages import order_update
from tests.execution.venues.binance.requests_made import BTC, an_order
from tests.execution.venues.binance.scripted_exchange import Twist, error
from tests.execution.venues.binance.venues import NOW_NS, Stand, a_stand

ID = client_order_id("d-1")
NEW_KEY, COUNTDOWN = "POST /fapi/v1/listenKey", "POST /fapi/v1/countdownCancelAll"


def fills(events: list[VenueEvent]) -> set[str]:
    return {event.fill.trade_id for event in events if event.fill}


async def resting(stand: Stand) -> None:
    await stand.venue.submit(an_order(), NOW_NS)


def test_fills_during_a_broken_connection_are_found_after_it() -> None:
    async def story() -> None:
        async with a_stand() as stand:
            await resting(stand)
            stand.exchange.script[NEW_KEY].extend([Twist(502, ""), Twist(), error(429, -1003)])
            await stand.exchange.cut()
            stand.exchange.fill(ID, "0.004", tell=False)
            stand.exchange.fill(ID, "0.006", tell=False)
            assert len(fills(await stand.events(3))) == 2
            # Each try waited longer than the one before.
            assert [pause for pause in stand.slept if pause < 0.1][:3] == [0.01, 0.02, 0.04]

    asyncio.run(story())


def test_a_fill_whose_message_was_lost_is_seen_by_the_next_one() -> None:
    async def story() -> None:
        async with a_stand() as stand:
            await resting(stand)
            stand.exchange.fill(ID, "0.002", tell=False)
            stand.exchange.fill(ID, "0.002")
            events = await stand.events(4)
            assert len(fills(events)) == 2

    asyncio.run(story())


def test_a_message_that_cannot_be_read_makes_every_order_be_asked_about() -> None:
    async def story() -> None:
        async with a_stand() as stand:
            await resting(stand)
            stand.exchange.fill(ID, "0.002", tell=False)
            stand.exchange.tell(b'{"e":"ORDER_TRADE_UPDATE","o":{"s":1}}')
            assert len(fills(await stand.events(2))) == 1

    asyncio.run(story())


def test_repeated_messages_repeat_events_and_nothing_else() -> None:
    async def story() -> None:
        async with a_stand() as stand:
            await resting(stand)
            message = stand.exchange.fill(ID, "0.002")
            stand.exchange.tell(message)
            first, second = await stand.events(2)
            assert first == second
            assert stand.venue.events_received == 2

    asyncio.run(story())


def test_an_expired_key_is_replaced_and_the_orders_are_asked_about() -> None:
    async def story() -> None:
        async with a_stand() as stand:
            await resting(stand)
            stand.exchange.tell(json.dumps({"e": "listenKeyExpired", "E": 1, "listenKey": "key1"}).encode())
            await stand.until(lambda: len(stand.exchange.asked("STREAM")) == 2)
            stand.exchange.fill(ID, "0.002")
            assert len(fills(await stand.events(2))) == 1
            assert stand.exchange.keys == 2

    asyncio.run(story())


def test_a_key_that_cannot_be_renewed_is_replaced() -> None:
    async def story() -> None:
        async with a_stand(keepalive_s=1) as stand:
            stand.exchange.script["PUT /fapi/v1/listenKey"].append(error(400, -1125))
            await stand.until(lambda: len(stand.exchange.asked("STREAM")) >= 2)

    asyncio.run(story())


def test_a_connection_is_replaced_before_it_is_old_and_no_message_falls_between() -> None:
    async def story() -> None:
        async with a_stand(connection_life_s=1, synchronise_clock=False) as stand:
            await resting(stand)
            await stand.until(lambda: len(stand.exchange.asked("STREAM")) >= 2)
            stand.exchange.fill(ID, "0.002")
            assert len(fills(await stand.events(1))) == 1
            assert stand.exchange.asked("GET /fapi/v1/order") == []

    asyncio.run(story())


@pytest.mark.parametrize(("word", "said"), [
    ({"c": "autoclose-17", "x": "TRADE", "l": "1", "L": "2", "t": 5}, "the exchange works on the account itself"),
    ({"c": "adl_autoclose", "x": "CALCULATED"}, "the exchange works on the account itself"),
    ({"c": ID, "x": "AMENDMENT"}, "amended, not by us")])
def test_what_others_do_to_the_account_is_an_alarm(word: dict[str, object], said: str) -> None:
    async def story() -> None:
        async with a_stand() as stand:
            await resting(stand)
            stand.exchange.tell(order_update(**word))
            [event] = await stand.events(1)
            assert event.kind is VenueEventKind.ALARM
            assert said in event.message

    asyncio.run(story())


def test_an_order_of_somebody_else_is_told_as_it_is() -> None:
    async def story() -> None:
        async with a_stand() as stand:
            stand.exchange.tell(order_update(c="somebody-elses"))
            [event] = await stand.events(1)
            assert event.client_order_id == "somebody-elses"

    asyncio.run(story())


def test_a_gap_before_a_new_connection_is_made_in_time_is_a_gap() -> None:
    async def story() -> None:
        async with a_stand(connection_life_s=1, synchronise_clock=False) as stand:
            await resting(stand)
            exchange = stand.exchange
            # The old connection breaks while the new one is being made, and a fill falls between.
            exchange.script[NEW_KEY].append(Twist(200, '{"listenKey": "key1"}', wait_s=0.3))
            await stand.until(lambda: len(exchange.asked(NEW_KEY)) == 2)
            await exchange.cut()
            exchange.fill(ID, "0.004", tell=False)
            assert len(fills(await stand.events(2))) == 1

    asyncio.run(story())


def test_a_stream_that_ends_by_a_bug_is_told_and_not_left_deaf(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        async with a_stand() as stand:
            def broken(self: Product, base_url: str, listen_key: str) -> str:
                raise KeyError(base_url, listen_key)

            monkeypatch.setattr(Product, "user_stream", broken)
            await stand.exchange.cut()
            with pytest.raises(InvariantError, match="has ended"):
                await asyncio.wait_for(stand.venue.next_events(), 10)

    asyncio.run(story())


def test_a_key_of_the_stream_is_in_no_line_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> None:
        async with a_stand() as stand:
            stand.exchange.refuse_streams = 1
            await stand.exchange.cut()
            await stand.until(lambda: len(stand.exchange.sockets) == 1)
        assert "HTTP 503" in caplog.text
        assert "key1" not in caplog.text
        assert "key2" not in caplog.text

    asyncio.run(story())


def test_the_account_is_told_as_the_exchange_has_it() -> None:
    async def story() -> None:
        async with a_stand() as stand:
            await resting(stand)
            assert await stand.venue.holdings() == Holdings({}, {ID: BTC.key})
            stand.exchange.script["GET /fapi/v2/positionRisk"].append(Twist(200, json.dumps([
                {"symbol": "BTCUSDT", "positionAmt": "-0.250", "leverage": "20"},
                {"symbol": "ETHUSDT", "positionAmt": "0.000", "leverage": "20"}])))
            assert (await stand.venue.holdings()).positions == {BTC.key: Decimal("-0.25")}
            stand.exchange.script["GET /fapi/v1/openOrders"].append(error(429, -1003))
            with pytest.raises(VenueOutcomeUnknown):
                await stand.venue.holdings()

    asyncio.run(story())

    asyncio.run(story())


def test_the_countdown_beats_only_while_orders_rest_and_stops_at_the_end() -> None:
    async def story() -> None:
        async with a_stand(countdown_s=120) as stand:
            exchange = stand.exchange
            await asyncio.sleep(0.05)
            assert exchange.asked(COUNTDOWN) == []
            exchange.script[COUNTDOWN].append(Twist(502, ""))
            await resting(stand)
            await stand.until(lambda: bool(exchange.asked(COUNTDOWN)))
            assert exchange.asked(COUNTDOWN)[0]["countdownTime"] == "120000"
            assert exchange.asked(COUNTDOWN)[0]["symbol"] == "BTCUSDT"
            await stand.venue.close()
            assert exchange.asked(COUNTDOWN)[-1]["countdownTime"] == "0"

    asyncio.run(story())


def test_an_order_that_may_rest_because_its_answer_is_missing_is_under_the_countdown() -> None:
    async def story() -> None:
        async with a_stand(countdown_s=120) as stand:
            stand.exchange.script["POST /fapi/v1/order"].append(Twist(502, "", done=True))
            with pytest.raises(VenueOutcomeUnknown):
                await resting(stand)
            await stand.until(lambda: bool(stand.exchange.asked(COUNTDOWN)))

    asyncio.run(story())


def test_funding_and_changed_settings_are_said_at_least(caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> None:
        async with a_stand() as stand:
            balances = [{"a": "USDT", "wb": "10", "cw": "10", "bc": "-1.5"}, {"a": "BNB", "wb": "1", "bc": "0"}]
            stand.exchange.tell(json.dumps(
                {"e": "ACCOUNT_UPDATE", "E": 1, "T": 1, "a": {"m": "FUNDING_FEE", "B": balances}}).encode())
            stand.exchange.tell(json.dumps(
                {"e": "ACCOUNT_CONFIG_UPDATE", "E": 1, "T": 1, "ac": {"s": "BTCUSDT", "l": 25}}).encode())
            await stand.until(lambda: stand.venue.events_received == 2)

    asyncio.run(story())
    assert "FUNDING_FEE has changed the balance by -1.5 USDT" in caplog.text
    assert "BNB" not in caplog.text
    assert "settings of the account in USDM were changed" in caplog.text


def test_the_countdown_is_disarmed_where_nothing_rests_any_more() -> None:
    async def story() -> None:
        async with a_stand(countdown_s=120) as stand:
            await resting(stand)
            await stand.until(lambda: bool(stand.exchange.asked(COUNTDOWN)))
            await stand.venue.cancel(ID, BTC, NOW_NS)
            line = stand.venue._line
            assert line is not None
            await line.switch.beat()
            await line.switch.beat()
            assert [each["countdownTime"] for each in stand.exchange.asked(COUNTDOWN)] == ["120000", "0"]

    asyncio.run(story())

"""Faults over real sockets: each is what a client of the venue would see, and the exchange goes on."""

import asyncio
from itertools import pairwise
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.backtest.exchange.serving.world import KEY, World, in_world, texts

ORDER = {
    "symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "quantity": "0.010", "price": "80000", "timeInForce": "GTC"}


async def open_orders(world: World) -> int:
    status, orders = await world.signed("GET", "/fapi/v1/openOrders", symbol="BTCUSDT")
    assert status == 200
    return len(orders)


@pytest.mark.parametrize(("kind", "status", "code", "executed"), [
    ("unknown_executed", 503, -1000, True), ("unknown_not_executed", 503, -1000, False),
    ("service_unavailable", 503, -1000, False), ("internal_error", 503, -1001, False), ("throttled", 503, -1008, False),
    ("timeout_executed", 408, -1007, True), ("timeout_not_executed", 408, -1007, False),
    ("too_many_requests", 429, -1003, False), ("banned", 418, -1003, False)])
def test_a_spoilt_answer_says_so_and_the_order_is_there_or_not(
    tape: Path, kind: str, status: int, code: int, executed: bool,
) -> None:
    async def story(world: World) -> None:
        asked, _ = await world.control("POST", "faults", {"kind": kind, "operation": "POST order"})
        assert asked == 200
        answer = await world.signed("POST", "/fapi/v1/order", **ORDER)
        assert (answer[0], answer[1]["code"]) == (status, code)
        assert await open_orders(world) == int(executed)
        assert (await world.signed("POST", "/fapi/v1/order", **ORDER))[0] == 200
        assert (await world.control("GET", "faults"))[1] == {"waiting": [], "happened": 1}

    in_world(story, tapes=(tape,), pace="realtime", start_after_s=3)


@pytest.mark.parametrize(("kind", "executed"), [("drop", False), ("drop_answer", True)])
def test_a_dropped_connection_leaves_the_client_without_an_answer(tape: Path, kind: str, executed: bool) -> None:
    async def story(world: World) -> None:
        await world.control("POST", "faults", {"kind": kind, "operation": "POST order"})
        with pytest.raises(aiohttp.ClientError):
            await world.signed("POST", "/fapi/v1/order", **ORDER)
        assert await open_orders(world) == int(executed)

    in_world(story, tapes=(tape,), pace="realtime", start_after_s=3)


def test_the_venues_protection_lets_cancels_pass(tape: Path) -> None:
    async def story(world: World) -> None:
        _, order = await world.signed("POST", "/fapi/v1/order", **ORDER)
        await world.control("POST", "faults", {"kind": "throttled", "times": 0})
        status, _ = await world.signed("DELETE", "/fapi/v1/order", symbol="BTCUSDT", orderId=order["orderId"])
        assert status == 200
        await world.control("DELETE", "faults")
        assert (await world.signed("POST", "/fapi/v1/order", **ORDER))[0] == 200

    in_world(story, tapes=(tape,), pace="realtime", start_after_s=3)


def test_a_depth_gap_shows_in_pu(tape: Path) -> None:
    async def story(world: World) -> None:
        async with world.stream("/public/ws/btcusdt@depth@0ms") as socket:
            events = await texts(socket, 3)
            await world.control("POST", "faults", {"kind": "depth_gap", "symbol": "BTCUSDT", "times": 2})
            events += await texts(socket, 20)
        gaps = [later for earlier, later in pairwise(events) if later["pu"] != earlier["u"]]
        assert len(gaps) == 1

    in_world(story, tapes=(tape,), pace="3x", at_end="stay")


def test_user_events_can_come_twice_and_listen_keys_can_end(tape: Path) -> None:
    async def story(world: World) -> None:
        key = await world.listen_key()
        async with world.stream(f"/private/ws?listenKey={key}&events=ORDER_TRADE_UPDATE/listenKeyExpired") as socket:
            await world.control("POST", "faults", {"kind": "duplicate_user_events", "event": "ORDER_TRADE_UPDATE"})
            await world.signed("POST", "/fapi/v1/order", **ORDER)
            first, second = await texts(socket, 2)
            assert first == second
            assert first["o"]["x"] == "NEW"
            assert (await world.control("POST", "faults", {"kind": "expire_listen_keys"}))[1] == [{"done": 1}]
            (expired,) = await texts(socket, 1)
            assert (expired["e"], expired["listenKey"]) == ("listenKeyExpired", key)
            await world.signed("POST", "/fapi/v1/order", **ORDER)
            with pytest.raises(TimeoutError):
                await socket.receive(timeout=0.3)

    in_world(story, tapes=(tape,), pace="realtime", start_after_s=3)


def test_fills_can_come_after_the_answer(tape: Path) -> None:
    async def story(world: World) -> None:
        key = await world.listen_key()
        async with world.stream(f"/ws/{key}") as socket:
            await world.control(
                "POST", "faults", {"kind": "delay_user_events", "milliseconds": 200, "times": 0})
            status, _ = await world.signed("POST", "/fapi/v1/order", **ORDER)
            assert status == 200
            with pytest.raises(TimeoutError):
                await socket.receive(timeout=0.02)
            assert (await texts(socket, 1))[0]["e"] == "ORDER_TRADE_UPDATE"

    in_world(story, tapes=(tape,), pace="realtime", start_after_s=3)


def test_a_market_order_is_answered_first_and_fills_in_parts(tape: Path) -> None:
    market = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.004"}

    async def story(world: World) -> None:
        key = await world.listen_key()
        async with world.stream(f"/private/ws?listenKey={key}&events=ORDER_TRADE_UPDATE") as socket:
            fault = {"kind": "staged_fills", "parts": 4, "milliseconds": 30}
            assert (await world.control("POST", "faults", fault))[1] == [{"done": 1}]
            _, answer = await world.signed("POST", "/fapi/v1/order", newOrderRespType="RESULT", **market)
            assert (answer["status"], answer["executedQty"]) == ("NEW", "0.000")
            told = [(event["o"]["X"], event["o"]["z"]) for event in await texts(socket, 5)]
            assert told == [("NEW", "0"), *[("PARTIALLY_FILLED", f"0.00{part}") for part in (1, 2, 3)],
                            ("FILLED", "0.004")]
            _, rows = await world.signed("GET", "/fapi/v1/userTrades", symbol="BTCUSDT")
            assert [row["qty"] for row in rows] == ["0.001"] * 4

    in_world(story, tapes=(tape,), pace="realtime", start_after_s=3)


@pytest.mark.parametrize("stream", ["btcusdt@depth@0ms", "btcusdt@depth@100ms"])
def test_a_wrong_pu_is_sent_with_a_whole_message(tape: Path, stream: str) -> None:
    async def story(world: World) -> None:
        async with world.stream(f"/public/ws/{stream}") as socket:
            events = await texts(socket, 3)
            await world.control("POST", "faults", {"kind": "depth_wrong_pu", "symbol": "BTCUSDT"})
            events += await texts(socket, 8)
        wrong = [later for earlier, later in pairwise(events) if later["pu"] != earlier["u"]]
        assert len(wrong) == 1

    in_world(story, tapes=(tape,), pace="3x", at_end="stay")


def test_sockets_are_cut_by_route(tape: Path) -> None:
    async def story(world: World) -> None:
        async with world.stream("/public/ws/btcusdt@bookTicker") as public, world.stream("/private/ws") as private:
            fault = {"kind": "disconnect", "sockets": "private"}
            assert (await world.control("POST", "faults", fault))[1] == [{"done": 1}]
            assert (await private.receive(timeout=5)).type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)
            assert len(await texts(public, 2)) == 2

    in_world(story, tapes=(tape,), pace="realtime", at_end="loop")


def test_the_clock_can_be_wrong_and_late_requests_are_late(tape: Path) -> None:
    async def story(world: World) -> None:
        right = (await world.get("/fapi/v1/time"))[1]["serverTime"]
        await world.control("POST", "faults", {"kind": "clock_offset", "milliseconds": 120_000, "times": 0})
        wrong = (await world.get("/fapi/v1/time"))[1]["serverTime"]
        assert 120_000 <= wrong - right < 140_000
        assert (await world.signed("POST", "/fapi/v1/order", **ORDER))[1]["code"] == -1021

    in_world(story, tapes=(tape,), pace="realtime", start_after_s=3)


@pytest.mark.parametrize("body", [
    {"kind": "nonsense"}, {"kind": "drop", "times": -1}, {"kind": "drop", "extra": 1}, {}, [], "x", 7,
    {"kind": "disconnect", "sockets": "all of them"}])
def test_a_fault_that_there_is_not_is_refused_in_words(tape: Path, body: Any) -> None:
    async def story(world: World) -> None:
        status, answer = await world.control("POST", "faults", body)
        assert (status, answer) == (200, []) if body == [] else status == 400
        assert (await world.control("POST", "advance", {"until_ns": 1}))[0] == 409
        assert (await world.get("/sluice/v1/health"))[1]["status"] == "serving"

    in_world(story, tapes=(tape,), pace="realtime")


def test_callers_from_elsewhere_need_the_token(tape: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backtest.exchange.serving.control._is_loopback", lambda _address: False)

    async def story(world: World) -> None:
        assert (await world.control("GET", "faults"))[0] == 403
        assert (await world.get("/sluice/v1/faults", **{"X-Sluice-Token": "wrong"}))[0] == 403
        assert (await world.get("/sluice/v1/faults", **{"X-Sluice-Token": "letmein"}))[0] == 200
        assert (await world.get("/sluice/v1/health"))[0] == 200

    in_world(story, tapes=(tape,), pace="lockstep", control_token="letmein")


def test_a_delay_holds_one_answer_and_not_the_others(tape: Path) -> None:
    async def story(world: World) -> None:
        await world.control("POST", "faults", {"kind": "delay", "operation": "POST order", "milliseconds": 400})
        slow = asyncio.ensure_future(world.signed("POST", "/fapi/v1/order", **ORDER))
        await asyncio.sleep(0.05)
        assert await open_orders(world) == 0
        assert not slow.done()
        assert (await slow)[0] == 200
        assert await open_orders(world) == 1
        assert world.service.progress(KEY)["user_events"] == 0

    in_world(story, tapes=(tape,), pace="realtime", start_after_s=3)

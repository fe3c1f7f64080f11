"""Streams over real sockets: routes, control messages, the clock, ends of tapes, and hostile clients."""

import asyncio
import os
import random
import time
from itertools import pairwise
from pathlib import Path

import aiohttp
import msgspec
import pytest

from dataflows.tapes.frames import Frame
from dataflows.tapes.reader import TapeReader
from tests.backtest.exchange.serving.world import World, in_world, texts


def kinds(messages: list[dict[str, object]]) -> set[object]:
    return {message.get("data", message).get("e") for message in messages}  # type: ignore[attr-defined]


@pytest.mark.parametrize("path", [
    "/public/ws/btcusdt@bookTicker", "/public/stream?streams=btcusdt@bookTicker", "/ws/btcusdt@bookTicker",
    "/stream?streams=btcusdt@bookTicker", "/public/stream/btcusdt@bookTicker"])
def test_every_route_of_a_public_stream(tape: Path, path: str) -> None:
    async def story(world: World) -> None:
        async with world.stream(path) as socket:
            (message,) = await texts(socket, 1)
        combined = "stream" in path.partition("?")[0]
        assert ("stream" in message) is combined
        assert message.get("data", message)["s"] == "BTCUSDT"

    in_world(story, tapes=(tape,), pace="5x")


def test_market_streams_come_on_the_market_route_alone_and_others_stay_silent(tape: Path) -> None:
    async def story(world: World) -> None:
        names = ["btcusdt@aggTrade", "btcusdt@depth"]
        request = msgspec.json.encode({"method": "SUBSCRIBE", "params": names, "id": 5}).decode()
        got = {}
        for route in ("/ws", "/public/ws", "/market/ws"):
            async with world.stream(route) as socket:
                await socket.send_str(request)
                answer, *events = await texts(socket, 6)
                assert answer == {"result": None, "id": 5}
                got[route] = kinds(events)
        assert got == {"/ws": {"depthUpdate"}, "/public/ws": {"depthUpdate"}, "/market/ws": {"aggTrade"}}

    in_world(story, tapes=(tape,), pace="20x", at_end="loop")


def test_what_the_tape_lacks_is_made_and_what_it_has_is_not(tape: Path) -> None:
    names = ("btcusdt@kline_5m", "btcusdt@ticker", "btcusdt@miniTicker", "!miniTicker@arr", "!markPrice@arr@1s",
             "btcusdt@markPrice@1s", "btcusdt_perpetual@continuousKline_1m", "btcusdt@indexPrice")

    async def story(world: World) -> None:
        seen: dict[str, object] = {}
        async with world.stream(f"/market/stream?streams={'/'.join(names)}") as socket:
            while len(seen) < len(names):
                message = await socket.receive_json(timeout=10)
                seen.setdefault(message["stream"], message["data"])
        symbols = {event["s"] for event in seen["!miniTicker@arr"]}  # type: ignore[attr-defined]
        assert symbols == {"BTCUSDT", "ETHUSDT"}

    in_world(story, tapes=(tape,), pace="10x", at_end="loop")


def test_partial_depth_is_the_best_of_the_book(tape: Path) -> None:
    async def story(world: World) -> None:
        async with world.stream("/public/ws/btcusdt@depth5@100ms") as socket:
            first, second = await texts(socket, 2)
        for event in (first, second):
            assert len(event["b"]) == len(event["a"]) == 5
            assert float(event["b"][0][0]) < float(event["a"][0][0])
        assert second["pu"] == first["u"]

    in_world(story, tapes=(tape,), pace="realtime", start_after_s=3)


def test_a_served_book_has_no_gap_and_bridges_from_a_snapshot(tape: Path) -> None:
    async def story(world: World) -> None:
        async with world.stream("/public/ws/btcusdt@depth@500ms") as socket:
            events = await texts(socket, 4)
            _, snapshot, _ = await world.get("/fapi/v1/depth?symbol=BTCUSDT&limit=1000")
            while events[-1]["u"] < snapshot["lastUpdateId"]:
                events += await texts(socket, 1)
        assert all(later["pu"] == earlier["u"] for earlier, later in pairwise(events))
        assert any(event["U"] <= snapshot["lastUpdateId"] <= event["u"] for event in events)

    in_world(story, tapes=(tape,), pace="3x", start_after_s=2)


def test_a_rebased_tape_happens_now(tape: Path) -> None:
    async def story(world: World) -> None:
        async with world.stream("/public/stream?streams=btcusdt@bookTicker/ethusdt@bookTicker") as socket:
            messages = await texts(socket, 20)
        now_ms = time.time_ns() // 1_000_000
        assert all(abs(message["data"]["E"] - now_ms) < 60_000 for message in messages)
        _, answer, _ = await world.get("/fapi/v1/time")
        assert abs(answer["serverTime"] - now_ms) < 60_000

    in_world(story, tapes=(tape,), pace="realtime")


def test_a_recorded_tape_keeps_its_times(tape: Path) -> None:
    async def story(world: World) -> None:
        async with world.stream("/public/ws/btcusdt@bookTicker") as socket:
            (message,) = await texts(socket, 1)
        assert 1_767_571_200_000 <= message["E"] < 1_767_571_300_000

    in_world(story, tapes=(tape,), pace="realtime", time="recorded")


def test_at_max_every_frame_reaches_a_slow_reader_in_order(tape: Path) -> None:
    async def story(world: World) -> None:
        async with world.stream("/public/ws/btcusdt@depth@0ms", max_msg_size=0) as socket:
            await asyncio.sleep(0.3)
            events = await texts(socket, recorded_differences(tape))
            assert world.service.ended.is_set()
        assert all(later["pu"] == earlier["u"] for earlier, later in pairwise(events))

    in_world(story, tapes=(tape,), pace="max")


def test_a_synthetic_market_goes_on_without_end() -> None:
    async def story(world: World) -> None:
        async with world.stream("/public/stream?streams=btcusdt@bookTicker/ethusdt@depth") as socket:
            messages = await texts(socket, 200)
        assert kinds(messages) == {"bookTicker", "depthUpdate"}
        assert abs(messages[-1]["data"]["E"] - time.time_ns() // 1_000_000) < 60_000

    in_world(story, pace="realtime", start_after_s=2)


def test_hostile_messages_get_errors_or_the_door_and_harm_nobody(tape: Path) -> None:
    generator = random.Random(7)

    async def story(world: World) -> None:
        async with world.stream("/public/ws/btcusdt@bookTicker") as good:
            wrong = b'{"method":"SUBSCRIBE","params":[{}],"id":1}'
            for message in (b"\x00\xff" * 100, b"{" * 60_000, wrong, b"", b"[]"):
                async with world.stream("/public/ws") as socket:
                    await socket.send_bytes(message)
                    assert "error" in msgspec.json.decode(await socket.receive_str(timeout=5))
            async with world.stream("/public/ws") as socket:
                await socket.send_bytes(b"x" * 200_000)
                assert (await socket.receive(timeout=5)).type is aiohttp.WSMsgType.CLOSE
            async with world.stream("/market/ws") as socket:
                for _ in range(2_000):
                    if socket.closed:
                        break
                    await socket.send_bytes(generator.randbytes(50))
                received = [await socket.receive(timeout=5) for _ in range(12)]
                assert received[-1].type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)
            assert (await texts(good, 1))[0]["e"] == "bookTicker"

    async def tolerant(world: World) -> None:
        try:
            await story(world)
        except aiohttp.ClientConnectionResetError:
            assert len(await texts(await world.stream("/public/ws/btcusdt@bookTicker"), 1)) == 1

    in_world(tolerant, tapes=(tape,), pace="realtime", at_end="loop")


def test_a_hundred_idle_connections_and_their_frames_need_little_memory(tape: Path) -> None:
    async def story(world: World) -> None:
        before = resident_bytes()
        sockets = [await world.stream("/public/ws/btcusdt@bookTicker", autoping=False) for _ in range(100)]
        assert world.service.health()["connections"] == 100
        await asyncio.sleep(1.0)
        grown = resident_bytes() - before
        assert not any(socket.closed for socket in sockets)
        # Both ends of each connection are in this process, and so is whatever tests ran before.
        assert grown / 100 < 1_000_000

    in_world(story, tapes=(tape,), pace="10x", at_end="loop")


def recorded_differences(tape: Path) -> int:
    frames = (item for item in TapeReader([tape]) if isinstance(item, Frame))
    return sum(b'"btcusdt@depth@0ms"' in frame.payload for frame in frames)


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.parametrize("path", ["/public/ws?after=x", "/ws/btcusdt@trade"])
def test_what_is_no_handshake_or_no_line_is_answered_in_json(tape: Path, path: str) -> None:
    async def story(world: World) -> None:
        status, answer, _ = await world.get(path)
        assert (status, answer["code"]) == (400, -1100)

    in_world(story, tapes=(tape,), pace="lockstep")

"""The live source against a real server: what it forwards, and what it does when the exchange misbehaves."""

import asyncio
import time
from collections import Counter

import pytest
from aiohttp import web

from dataflows.deadletters import DeadLetterReason
from sluice.instruments import InstrumentCatalog
from tests.dataflows.sources.exchange.running import (
    a_source,
    collecting,
    depth,
    snapshot,
    trade,
)
from tests.dataflows.sources.exchange.small_exchange import Session, serving

TRADES = {"streams": ("aggTrade",)}
DEPTH = {"streams": ("depth@100ms",)}


async def quiet(session: Session) -> None:
    await session.for_ever()


async def snapshot_of_ten(request: web.Request) -> web.Response:
    return web.Response(body=snapshot(10))


def test_frames_come_byte_for_byte_in_order_with_times_that_never_go_back() -> None:
    sent = [trade(number) for number in range(500)]

    async def script(session: Session) -> None:
        for payload in sent:
            await session.send(payload)
        await session.for_ever()

    with serving(script) as exchange, collecting(a_source(exchange.settings(**TRADES))) as found:
        found.until(lambda found: len(found.frames) == len(sent))
    assert found.payloads == sent
    assert [frame.sequence for frame in found.frames] == list(range(1, 501))
    times = [frame.receive_time_ns for frame in found.frames]
    assert times == sorted(times)
    assert exchange.sessions[0].route == "market"
    assert exchange.sessions[0].streams == ["btcusdt@aggTrade"]


def test_each_stream_is_asked_for_at_its_own_route_in_connections_of_bounded_size() -> None:
    settings = {"streams": ("depth@100ms", "bookTicker", "aggTrade", "markPrice@1s"), "streams_per_connection": 3}
    with serving(quiet) as exchange:
        keys = ["BINANCE_USDM:BTCUSDT", "BINANCE_USDM:ETHUSDT", "BINANCE_COINM:BTCUSD_PERP"]
        source = a_source(exchange.settings(**settings), InstrumentCatalog.shipped().select(keys))
        with collecting(source) as found:
            found.until(lambda _: len(exchange.sessions) == 6)
    routes = Counter(session.route for session in exchange.sessions)
    assert routes == {"public": 2, "market": 2, "dstream/public": 1, "dstream/market": 1}
    assert max(len(session.streams) for session in exchange.sessions) == 3
    asked = {stream for session in exchange.sessions for stream in session.streams}
    assert len(asked) == 12
    assert all(("depth" in stream or "bookTicker" in stream) == ("public" in session.route)
               for session in exchange.sessions for stream in session.streams)


def test_a_snapshot_is_fetched_at_the_first_difference_and_stands_in_the_stream_with_its_symbol() -> None:
    async def script(session: Session) -> None:
        await session.send(depth(5, 12, 4))
        await session.for_ever()

    with serving(script, snapshot_of_ten) as exchange, collecting(a_source(exchange.settings(**DEPTH))) as found:
        found.until(lambda found: len(found.frames) == 2)
    assert found.payloads == [depth(5, 12, 4), snapshot(10)]
    assert found.frames[1].symbol_hint == "BTCUSDT"
    assert [request.query_string for request in exchange.depth_requests] == ["symbol=BTCUSDT&limit=1000"]


def test_no_snapshot_is_asked_for_while_no_book_is_read() -> None:
    async def script(session: Session) -> None:
        await session.send(trade(1))
        await session.for_ever()

    with serving(script, snapshot_of_ten) as exchange, collecting(a_source(exchange.settings(**TRADES))) as found:
        found.until(lambda found: bool(found.frames))
        assert exchange.depth_requests == []


def test_a_gap_in_the_differences_and_a_snapshot_that_is_too_old_call_for_another() -> None:
    answers = [10, 15, 30]
    asked = asyncio.Event()

    async def script(session: Session) -> None:
        await session.send(depth(5, 12, 4))
        await asked.wait()
        await session.send(depth(20, 25, 18))  # 12 was the last
        await session.for_ever()

    async def answer(request: web.Request) -> web.Response:
        asked.set()
        return web.Response(body=snapshot(answers[min(len(exchange.depth_requests), len(answers)) - 1]))

    with serving(script, answer) as exchange, collecting(a_source(exchange.settings(**DEPTH))) as found:
        found.until(lambda found: snapshot(30) in found.payloads)
    assert [payload for payload in found.payloads if payload.startswith(b'{"lastUpdateId')] == [
        snapshot(10), snapshot(15), snapshot(30)]


@pytest.mark.parametrize("status", [429, 418, 500, 403])
def test_a_refused_snapshot_is_asked_for_again_and_retry_after_is_heeded(status: int) -> None:
    async def script(session: Session) -> None:
        await session.send(depth(5, 12, 4))
        await session.for_ever()

    async def answer(request: web.Request) -> web.Response:
        if len(exchange.depth_requests) == 1:
            return web.Response(status=status, text="no", headers={"Retry-After": "1"})
        return web.Response(body=snapshot(10))

    with serving(script, answer) as exchange, collecting(a_source(exchange.settings(**DEPTH))) as found:
        found.until(lambda found: snapshot(10) in found.payloads)
    assert len(exchange.depth_requests) == 2


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"lastUpdateId":"x"}', b"\xff\xfe"])
def test_a_snapshot_that_is_none_is_never_put_into_the_stream(body: bytes) -> None:
    async def script(session: Session) -> None:
        await session.send(depth(5, 12, 4))
        await session.for_ever()

    async def answer(request: web.Request) -> web.Response:
        return web.Response(body=body if len(exchange.depth_requests) == 1 else b" " + snapshot(10) + b"\n")

    with serving(script, answer) as exchange, collecting(a_source(exchange.settings(**DEPTH))) as found:
        found.until(lambda found: len(found.frames) == 2)
    assert found.payloads == [depth(5, 12, 4), snapshot(10)]


def test_a_slow_snapshot_holds_no_frame_back() -> None:
    async def script(session: Session) -> None:
        await session.send(depth(5, 12, 4))
        for last in range(13, 60):
            await session.send(depth(last, last, last - 1))
        await session.for_ever()

    async def answer(request: web.Request) -> web.Response:
        await asyncio.sleep(0.5)
        return web.Response(body=snapshot(10))

    with serving(script, answer) as exchange, collecting(a_source(exchange.settings(**DEPTH))) as found:
        found.until(lambda found: len(found.frames) == 48)
        assert snapshot(10) not in found.payloads
        found.until(lambda found: snapshot(10) in found.payloads)
    assert len(exchange.depth_requests) == 1


@pytest.mark.parametrize("end", ["close", "abort"])
def test_a_lost_connection_is_told_as_a_gap_and_opened_again_for_ever(end: str) -> None:
    async def script(session: Session) -> None:
        await session.send(trade(session.number))
        if end == "abort":
            await asyncio.sleep(0.02)
            await session.cut()

    with serving(script) as exchange, collecting(a_source(exchange.settings(**TRADES))) as found:
        found.until(lambda found: len(found.frames) >= 5)
    assert found.payloads[:5] == [trade(number) for number in range(5)]
    assert len(found.letters) >= 4
    assert {letter.reason for letter in found.letters} == {DeadLetterReason.SEQUENCE_GAP}
    assert "BINANCE_USDM market 1" in found.letters[0].message
    assert found.frames[-1].sequence == len(found.frames)


def test_an_exchange_that_is_not_there_yet_is_waited_for() -> None:
    async def script(session: Session) -> None:
        await session.send(trade(1))
        await session.for_ever()

    with serving(quiet) as exchange:
        settings, port = exchange.settings(**TRADES), exchange.port
    with collecting(a_source(settings)) as found:
        for _ in range(50):
            found.step()
        assert found.items == []
        with serving(script, port=port):
            found.until(lambda found: bool(found.frames))
    assert found.payloads == [trade(1)]


def test_garbage_becomes_dead_letters_with_their_reasons_and_stops_nothing() -> None:
    garbage = ["", "null", "[]", "{", '{"stream":"x","data":{}}', '{"e":"aggTrade"}', "\x00\ud7ff", "9" * 100_000]

    async def script(session: Session) -> None:
        for text in garbage:
            await session.socket.send_str(text)
        await session.socket.send_bytes(b"\xff\xfe\x00")
        await session.send(trade(7))
        await session.for_ever()

    with serving(script) as exchange, collecting(a_source(exchange.settings(**TRADES))) as found:
        found.until(lambda found: bool(found.frames))
    assert found.payloads == [trade(7)]
    assert len(found.letters) == len(garbage) + 1
    assert found.frames[0].sequence == len(garbage) + 2
    state = found.part.snapshot()
    assert sum(count for _, count in state.routed.dead_letters) == len(garbage) + 1


def test_a_message_in_parts_is_put_together_and_every_ping_answered() -> None:
    async def script(session: Session) -> None:
        await session.socket.ping(b"one")
        assert session.socket._writer is not None
        transport = session.socket._writer.transport
        text = trade(3)
        transport.write(bytes([0x01, 100]) + text[:100])
        await asyncio.sleep(0.02)
        transport.write(bytes([0x80, len(text) - 100]) + text[100:])
        await session.for_ever()

    with serving(script) as exchange, collecting(a_source(exchange.settings(**TRADES))) as found:
        found.until(lambda found: bool(found.frames) and bool(exchange.pongs))
    assert found.payloads == [trade(3)]
    assert exchange.pongs == [b"one"]


def test_a_flow_that_is_too_slow_loses_its_connection_and_not_its_memory() -> None:
    async def script(session: Session) -> None:
        for number in range(5_000):
            await session.send(trade(number))
        await session.for_ever()

    with serving(script) as exchange, collecting(a_source(exchange.settings(**TRADES, queue_frames=100))) as found:
        time.sleep(1.0)  # the flow does nothing
        assert len(exchange.sessions) == 1, "no new connection while there is no room"
        found.until(lambda _: len(exchange.sessions) >= 2)
    assert found.payloads[:100] == [trade(number) for number in range(100)]
    assert "too slow" in found.letters[0].message
    assert max(Counter(found.payloads).values()) <= 2


@pytest.mark.parametrize("lag_s", [0.0, 0.15])
def test_an_old_connection_is_replaced_without_a_hole_and_without_a_frame_twice(lag_s: float) -> None:
    """Every 2 ms a trade goes to all connections; every other connection gets it later by a lag."""
    def now_s() -> float:
        return asyncio.get_running_loop().time()

    began_s: list[float] = []

    async def script(session: Session) -> None:
        began_s.append(now_s())
        number, late_s = int((now_s() - began_s[0]) / 0.002), lag_s * (session.number % 2)
        while True:
            while number <= (now_s() - late_s - began_s[0]) / 0.002:
                await session.send(trade(number))
                number += 1
            await asyncio.sleep(0.002)

    with serving(script) as exchange:
        settings = exchange.settings(**TRADES, overlap_ms=300).model_copy(update={"connection_life_s": 1})
        with collecting(a_source(settings)) as found:
            found.until(lambda _: len(exchange.sessions) >= 4)
    assert found.letters == []
    assert found.payloads == [trade(number) for number in range(len(found.payloads))]

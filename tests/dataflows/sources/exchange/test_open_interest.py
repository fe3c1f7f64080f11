"""Open interest: polled beside the streams, put into the stream as it was answered, and never in their way."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import REGISTRY

from dataflows.codecs.binance import decode
from dataflows.codecs.binance_events import OpenInterest
from dataflows.sources.exchange.open_interest import SHARE, poll_interval_s
from dataflows.sources.exchange.snapshots import WEIGHT as SNAPSHOT_WEIGHT
from dataflows.sources.exchange.streams import plan_connections
from dataflows.sources.exchange.weight_budget import WINDOW_S, WeightBudget
from sluice.clock import EventClock
from sluice.config.market_source import ExchangeSourceSettings
from sluice.instruments import InstrumentCatalog
from tests.dataflows.sources.exchange.running import BTC, Collected, a_source, collecting, trade
from tests.dataflows.sources.exchange.small_exchange import Answer, Session, SmallExchange, serving

BOTH = InstrumentCatalog.shipped().select(["BINANCE_USDM:BTCUSDT", "BINANCE_COINM:BTCUSD_PERP"])
#: A pause between polls that a test can wait for; a user's is a second at least.
QUICK_S = 0.02


def body(symbol: str, amount: object = "10659.509") -> bytes:
    if not symbol.endswith("USDT"):
        return (f'{{"symbol":"{symbol}","pair":"BTCUSD","openInterest":"{amount}","contractType":"PERPETUAL",'
                '"time":1591261042378}').encode()
    return f'{{"openInterest":"{amount}","symbol":"{symbol}","time":1589437530011}}'.encode()


async def as_the_venue(request: web.Request) -> web.Response:
    return web.Response(body=body(request.query["symbol"]))


async def trading(session: Session) -> None:
    number = 0
    while True:
        await session.send(trade(number))
        number += 1
        await asyncio.sleep(0.005)


async def quiet(session: Session) -> None:
    await session.for_ever()


def polling(exchange: SmallExchange, **changes: object) -> ExchangeSourceSettings:
    settings = exchange.settings(streams=("aggTrade",), request_weight=2_400, **changes)
    return settings.model_copy(update={"open_interest_interval_s": QUICK_S})


def first_then(first: web.Response, exchange: Callable[[], SmallExchange]) -> Answer:
    """Answer the first request with one thing, the others as the venue does."""
    async def answer(request: web.Request) -> web.Response:
        return first if len(exchange().open_interest_requests) == 1 else await as_the_venue(request)
    return answer


def counted(name: str) -> float:
    return REGISTRY.get_sample_value(f"sluice_source_{name}_total") or 0.0


def polled(found: Collected) -> list[bytes]:
    return [payload for payload in found.payloads if b"openInterest" in payload]


def test_answers_of_both_products_stand_in_the_stream_as_they_were_sent_and_with_their_instrument() -> None:
    with serving(quiet, open_interest=as_the_venue) as exchange, \
            collecting(a_source(polling(exchange), BOTH)) as found:
        found.until(lambda found: len(set(found.payloads)) == 2 and len(found.frames) >= 6)
    assert set(found.payloads) == {body("BTCUSDT"), body("BTCUSD_PERP")}
    keys = {value[1].payload: key for key, value in found.items if value[1] in found.frames}
    assert keys == {body("BTCUSDT"): "BINANCE_USDM:BTCUSDT", body("BTCUSD_PERP"): "BINANCE_COINM:BTCUSD_PERP"}
    asked = {(request.path, request.query_string) for request in exchange.open_interest_requests}
    assert asked == {("/fapi/v1/openInterest", "symbol=BTCUSDT"), ("/dapi/v1/openInterest", "symbol=BTCUSD_PERP")}
    read = decode(found.payloads[0])
    assert isinstance(read, OpenInterest)
    assert read.open_interest == 10659.509


def test_it_is_polled_at_once_and_then_each_interval_whatever_the_answer_takes() -> None:
    async def slow(request: web.Request) -> web.Response:
        await asyncio.sleep(0.15)
        return await as_the_venue(request)

    with serving(quiet, open_interest=slow) as exchange:
        settings = polling(exchange).model_copy(update={"open_interest_interval_s": 0.3})
        with collecting(a_source(settings)) as found:
            found.until(lambda found: len(found.frames) == 4)
    times = [frame.receive_time_ns / 1e9 for frame in found.frames]
    assert 0.85 < times[-1] - times[0] < 5.0, "three intervals, and not also the time of three answers before each"


def test_nothing_is_polled_where_the_interval_is_zero() -> None:
    with serving(trading, open_interest=as_the_venue) as exchange, \
            collecting(a_source(exchange.settings(streams=("aggTrade",)))) as found:
        found.until(lambda found: len(found.frames) > 50)
    assert exchange.open_interest_requests == []


@pytest.mark.parametrize("first", [
    web.Response(status=400, text='{"code":-1121,"msg":"Invalid symbol."}'),
    web.Response(status=500), web.Response(status=429, headers={"Retry-After": "1"}),
    web.Response(status=302, headers={"Location": "/elsewhere"}),
    *(web.Response(body=payload) for payload in (
        b"", b"<html>", b"[]", b"\xff\xfe", b'{"openInterest":"x","symbol":"BTCUSDT"}', body("BTCUSDT", -1),
        body("BTCUSDT", "nan"), body("ETHUSDT"), b'{"openInterest":"1"}', trade(1))),
], ids=repr)
def test_what_is_no_open_interest_is_counted_and_asked_for_again_and_the_stream_goes_on(
    first: web.Response, caplog: pytest.LogCaptureFixture
) -> None:
    failed, put = counted("failed_polls"), counted("polls")
    with caplog.at_level(logging.INFO, "dataflows.sources.exchange.open_interest"), \
            serving(trading, open_interest=first_then(first, lambda: exchange)) as exchange, \
            collecting(a_source(polling(exchange))) as found:
        found.until(lambda found: len(polled(found)) >= 2 and len(found.frames) > 20)
    assert set(polled(found)) == {body("BTCUSDT")}
    assert found.letters == []
    assert counted("failed_polls") - failed == 1
    assert counted("polls") - put >= 2
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    assert "BTCUSDT" in caplog.messages[0]
    assert "\n" not in caplog.messages[0]


def test_a_symbol_that_the_exchange_does_not_know_is_said_once_and_asked_for_ever_more_rarely(
    caplog: pytest.LogCaptureFixture
) -> None:
    async def only_bitcoin(request: web.Request) -> web.Response:
        known = request.query["symbol"] == "BTCUSDT"
        return await as_the_venue(request) if known else web.json_response({"code": -1121}, status=400)

    with caplog.at_level(logging.INFO, "dataflows.sources.exchange.open_interest"), \
            serving(quiet, open_interest=only_bitcoin) as exchange, \
            collecting(a_source(polling(exchange), BOTH)) as found:
        found.until(lambda found: len(found.frames) > 25)
    asked = Counter(request.query["symbol"] for request in exchange.open_interest_requests)
    assert 2 <= asked["BTCUSD_PERP"] < asked["BTCUSDT"] / 2
    assert len(caplog.records) == 1
    assert "BTCUSD_PERP" in caplog.messages[0]


def test_an_endpoint_that_is_away_holds_up_no_frame_and_is_used_once_it_is_there() -> None:
    async def script(session: Session) -> None:
        await trading(session)

    with serving(quiet, open_interest=as_the_venue) as elsewhere:
        port = elsewhere.port
    with serving(script) as exchange:
        away = exchange.settings().usdm.model_copy(update={"rest_url": f"http://127.0.0.1:{port}"})
        settings = polling(exchange).model_copy(update={"usdm": away})
        with collecting(a_source(settings)) as found:
            found.until(lambda found: len(found.frames) > 50)
            assert polled(found) == []
            with serving(quiet, open_interest=as_the_venue, port=port):
                found.until(lambda found: bool(polled(found)))
    assert found.letters == []


def test_an_answer_that_never_comes_holds_up_neither_frames_nor_other_instruments() -> None:
    async def never_for_coins(request: web.Request) -> web.Response:
        if request.query["symbol"] == "BTCUSD_PERP":
            await asyncio.sleep(3600)
        return await as_the_venue(request)

    with serving(trading, open_interest=never_for_coins) as exchange, \
            collecting(a_source(polling(exchange), BOTH)) as found:
        found.until(lambda found: len(polled(found)) > 5 and len(found.frames) > 50)
    assert set(polled(found)) == {body("BTCUSDT")}


class JumpingClock(EventClock):
    """A machine's clock that is set an hour back and then forth while frames come."""

    def __init__(self) -> None:
        super().__init__(1_700_000_000_000_000_000)
        self._asked = 0

    def now_ns(self) -> int:
        self._asked += 1
        jump_ns = 3_600_000_000_000 * (-1 if self._asked // 7 % 2 else 1)
        return super().now_ns() + self._asked * 1_000_000 + jump_ns


def test_a_clock_that_jumps_changes_neither_how_often_nor_that_times_go_forth() -> None:
    with serving(quiet, open_interest=as_the_venue) as exchange, \
            collecting(a_source(polling(exchange), clock=JumpingClock(), interval_ns=10**15)) as found:
        found.until(lambda found: len(found.frames) >= 20)
    times = [frame.receive_time_ns for frame in found.frames]
    assert times == sorted(times)
    assert len(exchange.open_interest_requests) <= len(found.frames) + 3


def test_a_full_queue_costs_polls_and_nothing_else() -> None:
    sent = asyncio.Event()

    async def script(session: Session) -> None:
        for number in range(100):
            await session.send(trade(number))
        sent.set()
        await session.for_ever()

    async def later(request: web.Request) -> web.Response:
        await sent.wait()
        await asyncio.sleep(0.2)
        return await as_the_venue(request)

    failed = counted("failed_polls")
    with serving(script, open_interest=later) as exchange, \
            collecting(a_source(polling(exchange, queue_frames=100))) as found:
        deadline = time.monotonic() + 20
        while counted("failed_polls") == failed:  # the flow takes nothing
            assert time.monotonic() < deadline
            time.sleep(0.01)
        found.until(lambda found: len(found.frames) > 100)
    assert found.payloads[:101] == [*(trade(number) for number in range(100)), body("BTCUSDT")]
    assert found.letters == []


@given(st.integers(1, 300), st.integers(1, 2000), st.integers(40, 2400))
def test_all_polls_of_a_minute_fit_into_half_of_the_budget(wanted_s: int, instruments: int, limit: int) -> None:
    interval_s = poll_interval_s(wanted_s, instruments, limit)
    assert interval_s >= wanted_s
    assert instruments * 60 / interval_s <= limit * SHARE * (1 + 1e-12)
    assert interval_s == wanted_s or instruments * 60 / wanted_s > limit * SHARE


@given(st.integers(40, 2400), st.lists(st.floats(0, 20), max_size=60))
def test_polls_alone_always_leave_room_for_a_snapshot(limit: int, pauses: list[float]) -> None:
    budget, now = WeightBudget(limit), 6000.0
    for pause in pauses:
        now += pause
        while budget.wait_s(1, now, share=SHARE) == 0.0:
            pass
        assert budget.used <= limit * SHARE
    now = (now // WINDOW_S + 1) * WINDOW_S
    while budget.wait_s(1, now, share=SHARE) == 0.0:
        pass
    assert budget.wait_s(SNAPSHOT_WEIGHT, now) == 0.0


def test_in_lockstep_it_is_a_stream_of_the_tape_and_by_the_clock_it_is_none() -> None:
    def names(**changes: object) -> set[str]:
        settings = ExchangeSourceSettings.model_validate(changes)
        return {stream for plan in plan_connections(settings, BTC) for stream in plan.streams
                if "openInterest" in stream and "market" in plan.base_url}

    assert names(clock="lockstep") == {"btcusdt@openInterest"}
    assert names(clock="lockstep", open_interest_interval_s=0) == set()
    assert names() == set()

"""Time in the live source: ticks in silence, streams that fall silent, and a run that is started again."""

import asyncio
import time

from dataflows.sources.exchange.source import ExchangeState
from dataflows.tapes.frames import Frame
from dataflows.ticks import Tick
from tests.dataflows.sources.exchange.running import SECOND, a_source, collecting, trade
from tests.dataflows.sources.exchange.small_exchange import Session, serving

TRADES = {"streams": ("aggTrade",)}


async def quiet(session: Session) -> None:
    await session.for_ever()


def test_silence_of_one_kind_of_stream_makes_the_connection_anew_though_another_speaks() -> None:
    async def script(session: Session) -> None:
        while True:
            await session.send(trade(session.number))
            await asyncio.sleep(0.05)

    settings = {"streams": ("aggTrade", "markPrice@1s"), "silence_ms": 1000}
    with serving(script) as exchange, collecting(a_source(exchange.settings(**settings))) as found:
        found.until(lambda _: len(exchange.sessions) == 2)
    assert "kind mar" in found.letters[0].message


def test_a_stream_that_may_be_silent_is_left_alone() -> None:
    settings = {"streams": ("forceOrder",), "silence_ms": 1000}
    with serving(quiet) as exchange, collecting(a_source(exchange.settings(**settings), interval_ns=SECOND)) as found:
        for _ in range(1500):
            found.step()
            time.sleep(0.001)
        assert len(exchange.sessions) == 1
        assert found.items == []


def test_ticks_come_with_the_clock_where_the_market_is_silent() -> None:
    async def script(session: Session) -> None:
        await session.send(trade(1))
        await session.for_ever()

    with serving(script) as exchange:
        source = a_source(exchange.settings(**TRADES), interval_ns=SECOND // 20)
        with collecting(source) as found:
            found.until(lambda found: len(found.ticks) >= 10)
    times = [tick.time_ns for tick in found.ticks]
    assert times == list(range(times[0], times[0] + len(times) * SECOND // 20, SECOND // 20))
    assert times[0] > found.frames[0].receive_time_ns
    assert not any(tick.last for tick in found.ticks)


def test_no_tick_is_before_a_frame_that_was_received_earlier() -> None:
    async def script(session: Session) -> None:
        number = 0
        while True:
            number += 1
            await session.send(trade(number))
            await asyncio.sleep(0.0005)

    with serving(script) as exchange:
        source = a_source(exchange.settings(**TRADES), interval_ns=SECOND // 100)
        with collecting(source) as found:
            found.until(lambda found: len(found.ticks) >= 100)
    last_tick = 0
    for _, (_, value) in found.items:
        if isinstance(value, Frame):
            assert value.receive_time_ns >= last_tick
        elif isinstance(value, Tick):
            last_tick = value.time_ns


def test_a_run_that_is_started_again_says_how_long_it_was_away_and_makes_up_no_tick() -> None:
    async def script(session: Session) -> None:
        await session.send(trade(1))
        await session.for_ever()

    with serving(script) as exchange:
        settings = exchange.settings(**TRADES)
        with collecting(a_source(settings)) as found:
            found.until(lambda found: bool(found.ticks))
            state = found.part.snapshot()
        before = state.routed
        old = before._replace(
            last_time_ns=before.last_time_ns - 100 * SECOND, next_tick_ns=before.next_tick_ns - 100 * SECOND)
        with collecting(a_source(settings), ExchangeState(old)) as again:
            again.until(lambda again: bool(again.ticks))
    assert "the flow was away for 10" in again.letters[0].message
    assert again.frames[0].sequence == found.frames[-1].sequence + 1
    assert again.ticks[0].time_ns > again.frames[0].receive_time_ns


def test_a_requested_stop_ends_the_stream() -> None:
    with serving(quiet) as exchange:
        source = a_source(exchange.settings(**TRADES))
        with collecting(source) as found:
            found.step()
            source.request_stop()
            found.to_end()
    assert found.over

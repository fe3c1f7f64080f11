"""The source in lock-step: the tape that an exchange serves comes out as if it had been read from the file."""

import random
from pathlib import Path

import pytest
from aiohttp import web

from dataflows.sources.exchange.source import ExchangeState
from dataflows.sources.tape import Routed, TapeSource
from dataflows.tapes.frames import Frame
from dataflows.tapes.writer import TapeWriter
from dataflows.ticks import Tick
from sluice.errors import InputError
from sluice.instruments import InstrumentCatalog
from tests.dataflows.sources.exchange.lockstep_script import lockstep, read, snapshots_of
from tests.dataflows.sources.exchange.running import SECOND, a_source, collecting, depth, snapshot, trade
from tests.dataflows.sources.exchange.small_exchange import Session, SmallExchange, serving

START = 1_700_000_000 * SECOND
CATALOG = InstrumentCatalog.shipped().select(["BINANCE_USDM:BTCUSDT", "BINANCE_USDM:ETHUSDT"])
STREAMS = ("depth@100ms", "aggTrade")


@pytest.fixture(scope="module")
def tapes(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two symbols, 1500 frames each over 15 s with silences, and a snapshot now and then."""
    folder = tmp_path_factory.mktemp("tapes")
    paths = []
    for seed, symbol in enumerate(("BTCUSDT", "ETHUSDT")):
        draws = random.Random(seed)
        paths.append(folder / f"{symbol}.gz")
        time_ns, last = START + seed, 1
        with TapeWriter(paths[-1]) as writer:
            for number in range(1500):
                time_ns += 400_000_000 if number % 300 == 299 else draws.randrange(0, 15_000_000)
                if number % 500 == 20:
                    writer.write(time_ns, snapshot(last))
                elif number % 3:
                    writer.write(time_ns, trade(number, symbol))
                else:
                    writer.write(time_ns, depth(last + 1, last + 5, last, symbol))
                    last += 5
    return paths


def from_the_file(tapes: list[Path]) -> list[Routed]:
    part = TapeSource(tapes, CATALOG, interval_ns=SECOND // 10).build_part("in", "tape", None)
    items: list[Routed] = []
    try:
        while True:
            items.extend(part.next_batch())
    except StopIteration:
        return items


def plain(items: list[Routed]) -> list[tuple[object, ...]]:
    """What must be equal: all but the hint that a tape gives frames that name their symbol themselves."""
    return [(key, value.sequence, value.receive_time_ns, value.payload) if isinstance(value, Frame) else (key, value)
            for key, (_, value) in items]


def lockstep_source(exchange: SmallExchange, **changes: object) -> object:
    settings = exchange.settings(clock="lockstep", streams=STREAMS, **changes)
    return a_source(settings, CATALOG, interval_ns=SECOND // 10, batch_lines=37)


@pytest.mark.parametrize("per_connection", [100, 1])
def test_the_stream_is_that_of_the_tape_frame_by_frame_and_tick_by_tick(tapes: list[Path], per_connection: int) -> None:
    frames = read(*tapes)
    with serving(lockstep(frames, hiccups=0.02), snapshots_of(frames)) as exchange:
        source = lockstep_source(exchange, streams_per_connection=per_connection)
        with collecting(source) as found:  # type: ignore[arg-type]
            found.to_end()
    assert plain(found.items) == plain(from_the_file(tapes))
    assert len(exchange.sessions) == (2 if per_connection == 100 else 4)
    assert isinstance(found.items[-1][1][1], Tick)
    assert found.items[-1][1][1].last


def test_what_is_not_subscribed_to_is_all_that_is_missing(tapes: list[Path]) -> None:
    frames = read(*tapes)
    with serving(lockstep(frames), snapshots_of(frames)) as exchange:
        settings = exchange.settings(clock="lockstep", streams=("aggTrade",))
        with collecting(a_source(settings, CATALOG, interval_ns=SECOND // 10)) as found:
            found.to_end()
    assert found.payloads == [frame.payload for frame in frames if b"aggTrade" in frame.payload]
    assert exchange.depth_requests == []


@pytest.mark.parametrize("batches", [1, 7, 30])
def test_a_run_goes_on_after_any_snapshot_as_if_it_had_not_stopped(tapes: list[Path], batches: int) -> None:
    frames = read(*tapes)
    with serving(lockstep(frames), snapshots_of(frames)) as exchange:
        with collecting(lockstep_source(exchange)) as first:  # type: ignore[arg-type]
            first.until(lambda found: len(found.items) > batches * 37)
            state = first.part.snapshot()
        assert state.after_line == first.frames[-1].sequence
        with collecting(lockstep_source(exchange), ExchangeState(*state)) as rest:  # type: ignore[arg-type]
            rest.to_end()
            ended = rest.part.snapshot()
        with collecting(lockstep_source(exchange), ended) as nothing:  # type: ignore[arg-type]
            nothing.to_end()
    assert plain([*first.items, *rest.items]) == plain(from_the_file(tapes))
    assert nothing.items == []


def test_connections_that_break_in_the_middle_lose_and_double_nothing(tapes: list[Path]) -> None:
    frames = read(*tapes)
    script = lockstep(frames, cut_after=lambda session: 10_000 if session.number > 5 else 1 + session.number * 97)
    with serving(script, snapshots_of(frames)) as exchange, \
            collecting(lockstep_source(exchange)) as found:  # type: ignore[arg-type]
        found.to_end()
    assert plain(found.items) == plain(from_the_file(tapes))
    assert len(exchange.sessions) >= 12


def test_a_flow_that_is_slow_holds_the_exchange_up_and_loses_nothing(tapes: list[Path]) -> None:
    frames = read(*tapes)
    with serving(lockstep(frames), snapshots_of(frames)) as exchange, \
            collecting(lockstep_source(exchange, queue_frames=100)) as found:  # type: ignore[arg-type]
        found.to_end()
    assert plain(found.items) == plain(from_the_file(tapes))


def test_an_exchange_that_names_no_lines_is_refused_in_words() -> None:
    async def script(session: Session) -> None:
        await session.socket.ping(b"keep alive")
        await session.send(trade(1))
        await session.for_ever()

    async def plain_depth(request: web.Request) -> web.Response:
        return web.Response(body=snapshot(1))

    with serving(script) as exchange, pytest.raises(InputError, match="must say the line"), \
            collecting(lockstep_source(exchange)) as found:  # type: ignore[arg-type]
        found.to_end()
    with serving(script, plain_depth) as exchange, pytest.raises(InputError, match="must say the line"), \
            collecting(lockstep_source(exchange)) as found:  # type: ignore[arg-type]
        found.to_end()


def test_several_frames_of_one_line_stay_together_wherever_the_stream_is_cut() -> None:
    lines = [Frame(line, START + line, trade(line * 10 + part)) for line in range(1, 40) for part in range(3)]

    async def script(session: Session) -> None:
        for frame in lines:
            if frame.sequence > int(session.query["after"]):
                await session.mark(f"{frame.receive_time_ns} {frame.sequence}")
                await session.send(frame.payload)
        await session.mark(f"{START + 100} 100 end")
        await session.for_ever()

    with serving(script) as exchange:
        settings = exchange.settings(clock="lockstep", streams=("aggTrade",))
        payloads: list[bytes] = []
        state: ExchangeState | None = None
        for _ in range(100):
            with collecting(a_source(settings, batch_lines=5), state) as found:
                found.until(lambda found: len(found.items) > 0)
                payloads += found.payloads
                state = found.part.snapshot()
                if found.over or state.routed.ended:
                    break
    assert payloads == [frame.payload for frame in lines]

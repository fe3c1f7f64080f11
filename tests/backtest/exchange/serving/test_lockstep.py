"""Lockstep: what clients get is the tape, whoever reads and however often."""

from itertools import pairwise
from pathlib import Path

from dataflows.tapes.frames import Frame
from dataflows.tapes.reader import TapeReader
from tests.backtest.exchange.serving.world import KEY, World, in_world, until_end

STREAMS = "/public/stream?streams=btcusdt@depth@100ms/btcusdt@bookTicker"


def recorded(tape: Path) -> list[Frame]:
    return [item for item in TapeReader([tape]) if isinstance(item, Frame)]


def test_a_connection_gets_the_tape_byte_for_byte_with_its_places(tape: Path) -> None:
    async def story(world: World) -> None:
        async with world.stream(STREAMS, autoping=False, max_msg_size=0) as socket:
            got = [(marker, text) for marker, text in await until_end(socket) if text]
        streams = (b'{"stream":"btcusdt@depth', b'{"stream":"btcusdt@bookTicker')
        wanted = [frame for frame in recorded(tape) if frame.payload.startswith(streams)]
        assert [marker for marker, _ in got] == [f"{frame.receive_time_ns} {frame.sequence}" for frame in wanted]
        assert [text.replace("@depth@100ms", "@depth@0ms") for _, text in got] == [f.payload.decode() for f in wanted]

    in_world(story, tapes=(tape,), pace="lockstep")


def test_two_readers_get_the_same_and_one_that_comes_again_gets_the_rest(tape: Path) -> None:
    async def story(world: World) -> None:
        readings = []
        for _ in range(2):
            async with world.stream(STREAMS, autoping=False) as socket:
                readings.append(await until_end(socket))
        assert readings[0] == readings[1]
        frames = [each for each in readings[0] if each[1]]
        place = int(frames[len(frames) // 2][0].split()[1])
        async with world.stream(f"{STREAMS}&after={place}", autoping=False) as socket:
            rest = [each for each in await until_end(socket) if each[1]]
        assert rest == [each for each in frames if int(each[0].split()[1]) > place]

    in_world(story, tapes=(tape,), pace="lockstep")


def test_where_there_is_nothing_to_send_a_marker_comes_every_tenth_of_a_second(tape: Path) -> None:
    async def story(world: World) -> None:
        async with world.stream("/market/ws/btcusdt@forceOrder", autoping=False) as socket:
            got = await until_end(socket)
        frames = recorded(tape)
        assert not [text for _, text in got if text]
        assert got[-1][0] == f"{frames[-1].receive_time_ns} {frames[-1].sequence} end"
        times = [int(marker.split()[0]) for marker, _ in got]
        gaps = [later - earlier for earlier, later in pairwise(times)]
        longest_silence = max(b.receive_time_ns - a.receive_time_ns for a, b in pairwise(frames))
        assert max(gaps) < 100_000_000 + longest_silence

    in_world(story, tapes=(tape,), pace="lockstep")


def test_a_snapshot_is_the_tapes_own_with_its_place(tape: Path) -> None:
    async def story(world: World) -> None:
        snapshot = next(f for f in recorded(tape) if f.symbol_hint == "ETHUSDT" and b'"lastUpdateId"' in f.payload[:40])
        async with world.session.get(
            f"http://{world.address}/fapi/v1/depth?symbol=ETHUSDT&limit=1000", headers={"X-Sluice-After": "3"},
        ) as answer:
            assert await answer.read() == snapshot.payload
            assert answer.headers["X-Sluice-Receive-Ns"] == str(snapshot.receive_time_ns)
            assert answer.headers["X-Sluice-Line"] == str(snapshot.sequence)

    in_world(story, tapes=(tape,), pace="lockstep")


def test_the_market_stands_still_until_a_client_moves_it(tape: Path) -> None:
    frames = recorded(tape)
    middle = frames[len(frames) // 2].receive_time_ns

    async def story(world: World) -> None:
        assert world.service.exchange.frames_played == 0
        status, answer = await world.control("POST", "advance", {"until_ns": middle})
        incarnation = answer["incarnation"]
        assert (status, answer) == (200, {"now_ns": middle, "user_events": 0, "incarnation": incarnation})
        assert world.service.exchange.frames_played == sum(frame.receive_time_ns <= middle for frame in frames)
        assert await world.control("GET", "user-events") == (200, answer)
        status, answer = await world.control("POST", "advance", {"until_ns": middle - 10**9})
        assert answer["now_ns"] == middle

    in_world(story, tapes=(tape,), pace="lockstep")


def test_a_step_meant_for_another_process_moves_nothing(tape: Path) -> None:
    async def story(world: World) -> None:
        before = await world.control("GET", "user-events")
        status, answer = await world.control("POST", "advance", {"until_ns": 2**61, "incarnation": "another"})
        assert (status, list(answer)) == (412, ["error"])
        assert await world.control("GET", "user-events") == before

    in_world(story, tapes=(tape,), pace="lockstep")


def test_an_order_moves_the_market_to_its_arrival_and_its_events_are_counted(tape: Path) -> None:
    start_ns = recorded(tape)[0].receive_time_ns // 10**6 * 10**6 + 5 * 10**9

    async def story(world: World) -> None:
        await world.control("POST", "advance", {"until_ns": start_ns})
        key = await world.listen_key()
        async with world.stream(f"/private/ws?listenKey={key}") as socket:
            status, order = await world.signed(
                "POST", "/fapi/v1/order", symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.010")
            assert (status, world.service.exchange.now_ns) == (200, start_ns + 7 * 10**6), order
            _, progress = await world.control("GET", "user-events")
            assert progress["user_events"] > 0
            kinds = [(await socket.receive_json(timeout=5))["e"] for _ in range(progress["user_events"])]
            assert "ORDER_TRADE_UPDATE" in kinds
            assert "ACCOUNT_UPDATE" in kinds

    in_world(story, tapes=(tape,), pace="lockstep", order_latency_ms=7)


def test_the_same_orders_give_the_same_events_each_time(tape: Path) -> None:
    start_ns = recorded(tape)[0].receive_time_ns // 10**6 * 10**6 + 4 * 10**9
    seen: list[list[str]] = []

    async def story(world: World) -> None:
        await world.control("POST", "advance", {"until_ns": start_ns})
        key, told = await world.listen_key(), list[str]()
        async with world.stream(f"/private/stream?listenKey={key}") as socket:
            for side in ("BUY", "SELL", "SELL"):
                await world.signed(
                    "POST", "/fapi/v1/order", symbol="BTCUSDT", side=side, type="MARKET", quantity="0.5",
                    newClientOrderId=f"c{len(told)}")
                _, progress = await world.control("GET", "user-events")
                while len(told) < progress["user_events"]:
                    told.append((await socket.receive_str(timeout=5)).replace(key, "KEY"))
        seen.append(told)

    for _ in range(2):
        in_world(story, tapes=(tape,), pace="lockstep")
    assert seen[0]
    assert seen[0] == seen[1]


def test_what_is_killed_is_rebuilt_from_its_journal(tape: Path, tmp_path: Path) -> None:
    start_ns = recorded(tape)[0].receive_time_ns // 10**6 * 10**6 + 4 * 10**9
    settings = {"tapes": (tape,), "pace": "lockstep", "journal": tmp_path / "journal"}
    before: list[object] = []

    async def trade(world: World) -> None:
        await world.control("POST", "advance", {"until_ns": start_ns})
        await world.signed("POST", "/fapi/v1/order", symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.5")
        await world.signed("POST", "/fapi/v1/order", symbol="BTCUSDT", side="BUY", type="LIMIT", quantity="0.5",
                           price="90000", timeInForce="GTC")
        before.append(await state(world))

    async def look(world: World) -> None:
        assert await state(world) == before[0]

    async def state(world: World) -> object:
        trades = await world.signed("GET", "/fapi/v1/userTrades", symbol="BTCUSDT")
        orders = await world.signed("GET", "/fapi/v1/openOrders", symbol="BTCUSDT")
        assert trades[1]
        assert orders[1]
        return trades, orders, world.service.exchange.now_ns, (await world.signed("GET", "/fapi/v2/balance"))[1]

    in_world(trade, **settings)
    in_world(look, **settings)


def test_the_key_of_the_tests_is_known(tape: Path) -> None:
    async def story(world: World) -> None:
        assert world.service.progress(KEY)["user_events"] == 0
        assert world.service.progress("nobody")["user_events"] == 0

    in_world(story, tapes=(tape,), pace="lockstep")

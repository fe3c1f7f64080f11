"""The simulated venue: when things happen, that nothing depends on how it is driven, and that it can be rebuilt."""

import asyncio
from collections.abc import Callable, Coroutine
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backtest.venue import SimulatedVenue
from execution.domain import OrderRequest
from execution.venues.interface import SimulatedTime, Venue, VenueCommand, VenueCommandKind, VenueEvent
from sluice.config.settings import Settings
from sluice.errors import InputError, NotFoundError
from sluice.instruments import Instrument, InstrumentCatalog
from sluice.orders import OrderType, Side, TimeInForce
from tests.backtest.venue.tapes import LATENCY_NS, START_NS, STEP_NS, make_tape

CATALOG = InstrumentCatalog.shipped()
BTCUSDT = CATALOG.require("BINANCE_USDM:BTCUSDT")
BTCUSD_PERP = CATALOG.require("BINANCE_COINM:BTCUSD_PERP")
STEPS = 150
Answer = TypeVar("Answer")


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tape(tmp_path_factory.mktemp("tape") / "small.gz", steps=STEPS)


def a_venue(tape: Path, **source: Any) -> SimulatedVenue:
    configured = Settings.model_validate({"source": {"tapes": [tape], **source}})
    return SimulatedVenue.from_settings(configured, CATALOG)


def an_order(
    client_order_id: str = "a", side: Side = Side.BUY, price: str | None = None, quantity: str = "0.5",
    instrument: Instrument = BTCUSDT, time_in_force: TimeInForce = TimeInForce.GTC, good_till_time_ns: int = 0,
) -> OrderRequest:
    return OrderRequest(
        client_order_id, instrument, side, OrderType.LIMIT if price else OrderType.MARKET, time_in_force,
        Decimal(quantity), Decimal(price) if price else None, good_till_time_ns=good_till_time_ns)


def now(script: Callable[[], Coroutine[Any, Any, Answer]]) -> Answer:
    return asyncio.run(script())


def test_it_is_a_venue_with_simulated_time(tape: Path) -> None:
    venue: Venue = a_venue(tape)

    assert isinstance(venue, SimulatedTime)
    assert venue.name == "simulated"


def test_order_arrives_after_the_latency_and_fills_then(tape: Path) -> None:
    async def script() -> tuple[list[VenueEvent], int]:
        venue = a_venue(tape)
        await venue.advance_to(START_NS + 20 * STEP_NS)
        return await venue.submit(an_order(), START_NS + 20 * STEP_NS), venue.now_ns()

    events, played_to = now(script)

    assert [event.kind.name for event in events][:2] == ["ACCEPTED", "FILL"]
    assert {event.event_time_ns for event in events} == {START_NS + 20 * STEP_NS + LATENCY_NS}
    assert played_to == START_NS + 20 * STEP_NS + LATENCY_NS


def test_time_never_goes_back(tape: Path) -> None:
    async def script() -> tuple[list[VenueEvent], list[VenueEvent], int]:
        venue = a_venue(tape)
        await venue.advance_to(START_NS + 50 * STEP_NS)
        late = await venue.submit(an_order(), START_NS + 20 * STEP_NS)
        return late, await venue.advance_to(START_NS), venue.now_ns()

    late, back, played_to = now(script)

    assert {event.event_time_ns for event in late} == {START_NS + 50 * STEP_NS} == {played_to}
    assert back == []


def test_answer_to_one_order_tells_of_others_that_filled_meanwhile(tape: Path) -> None:
    async def script() -> list[VenueEvent]:
        venue = a_venue(tape)
        await venue.submit(an_order("resting", price="59999.5", quantity="0.01"), START_NS + STEP_NS)
        return await venue.submit(an_order("taker", quantity="0.01"), START_NS + (STEPS - 1) * STEP_NS)

    events = now(script)

    assert ("resting", "FILL") in [(event.client_order_id, event.kind.name) for event in events]
    assert events[-1].client_order_id == "taker"
    assert [event.event_time_ns for event in events] == sorted(event.event_time_ns for event in events)


def test_orders_before_the_first_snapshot_are_rejected(tape: Path) -> None:
    events = now(lambda: a_venue(tape).submit(an_order(), START_NS - 10 * STEP_NS))

    assert [event.kind.name for event in events] == ["REJECTED"]


def test_instruments_that_are_not_selected_are_unknown(tape: Path) -> None:
    async def script() -> list[VenueEvent]:
        venue = a_venue(tape, instruments=["BINANCE_USDM:BTCUSDT"])
        request = an_order(instrument=BTCUSD_PERP, quantity="5")
        return [*await venue.submit(request, START_NS + STEP_NS),
                *await venue.cancel("a", BTCUSD_PERP, START_NS + STEP_NS)]

    events = now(script)

    assert [event.kind.name for event in events] == ["REJECTED", "CANCEL_REJECTED"]
    assert "-1121" in events[0].message


def test_repeated_client_order_id_starts_nothing_and_tells_what_is_known(tape: Path) -> None:
    async def script() -> tuple[list[VenueEvent], list[VenueEvent]]:
        venue = a_venue(tape)
        first = await venue.submit(an_order(), START_NS + 20 * STEP_NS)
        return first, await venue.submit(an_order(), START_NS + 21 * STEP_NS)

    first, second = now(script)

    assert second == first


def test_good_till_date_ends_an_order_at_its_second_without_any_frame(tape: Path) -> None:
    second = START_NS + 700 * 1_000_000_000
    request = an_order(price="59000.0", time_in_force=TimeInForce.GTD, good_till_time_ns=second + 123_000_007)

    async def script() -> list[VenueEvent]:
        venue = a_venue(tape)
        await venue.submit(request, START_NS + 3 * STEP_NS)
        return await venue.advance_to(second + 1_000_000_000)

    (event,) = now(script)

    assert (event.kind.name, event.event_time_ns) == ("EXPIRED", second)
    assert "date" in event.message


def test_good_till_date_within_ten_minutes_is_refused_as_the_exchange_does(tape: Path) -> None:
    request = an_order(price="59000.0", time_in_force=TimeInForce.GTD, good_till_time_ns=START_NS + 500 * 10**9)

    (event,) = now(lambda: a_venue(tape).submit(request, START_NS + 3 * STEP_NS))

    assert (event.kind.name, event.message[:6]) == ("REJECTED", "-5040 ")


def test_times_are_whole_milliseconds_and_the_latency_begins_with_the_one_of_sending(tape: Path) -> None:
    sent_at_ns = START_NS + 20 * STEP_NS + 999_999

    events = now(lambda: a_venue(tape).submit(an_order(), sent_at_ns))

    assert {event.event_time_ns for event in events} == {START_NS + 20 * STEP_NS + LATENCY_NS}


def test_account_has_the_configured_money_and_no_more(tape: Path) -> None:
    configured = Settings.model_validate({"source": {"tapes": [tape]}, "account": {"balances": {"USDT": "1000"}}})
    venue = SimulatedVenue.from_settings(configured, CATALOG)

    (event,) = now(lambda: venue.submit(an_order(quantity="0.5", price="60000.0"), START_NS + 3 * STEP_NS))

    assert event.message == "-2019 Margin is insufficient."


def test_missing_tape_or_none_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        a_venue(tmp_path / "nothing.gz")
    with pytest.raises(InputError):
        SimulatedVenue.from_settings(Settings(), CATALOG)


def test_damaged_frames_are_passed_over(tmp_path: Path, tape: Path) -> None:
    import gzip

    lines = gzip.decompress(tape.read_bytes()).splitlines()
    broken = [line[:-5] if index % 50 == 9 and b"trade" in line else line for index, line in enumerate(lines)]
    broken.insert(20, b"nonsense")
    other = tmp_path / "broken.gz"
    other.write_bytes(gzip.compress(b"\n".join(broken) + b"\n"))

    events = now(lambda: a_venue(other).submit(an_order(), START_NS + 100 * STEP_NS))

    assert "FILL" in [event.kind.name for event in events]


def test_a_long_advance_lets_others_run(tape: Path) -> None:
    async def script() -> int:
        turns = 0

        async def count() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        counting = asyncio.create_task(count())
        await a_venue(make_tape(tape.with_name("long.gz"), steps=1500)).advance_to(START_NS + 2000 * STEP_NS)
        counting.cancel()
        return turns

    assert now(script) >= 2


# The same events however it is driven

orders = st.builds(
    an_order,
    side=st.sampled_from(list(Side)),
    quantity=st.integers(10, 900).map(lambda lots: str(Decimal(lots) / 1000)),
    price=st.one_of(st.none(), st.integers(599_950, 600_050).map(lambda ticks: str(Decimal(ticks) / 10))),
    time_in_force=st.sampled_from([TimeInForce.GTC, TimeInForce.IOC, TimeInForce.GTX]),
)
moments = st.integers(0, STEPS * STEP_NS // 1_000_000).map(lambda ms: START_NS + ms * 1_000_000)


@st.composite
def command_scripts(draw: st.DrawFn) -> list[VenueCommand]:
    """Commands in the order of their times: orders, and cancels of any order of the script."""
    made: list[VenueCommand] = []
    for number, sent_at_ns in enumerate(sorted(draw(st.lists(moments, max_size=12)))):
        request = draw(orders)
        if made and draw(st.integers(0, 3)) == 0:
            request = draw(st.sampled_from(made)).request
            made.append(VenueCommand(VenueCommandKind.CANCEL, request, sent_at_ns))
        else:
            request = _named(request, f"c{number}")
            made.append(VenueCommand(VenueCommandKind.SUBMIT, request, sent_at_ns))
    return made


def _named(request: OrderRequest, client_order_id: str) -> OrderRequest:
    perp = client_order_id.endswith(("3", "7"))
    return an_order(
        client_order_id, request.side, None if request.price is None else str(request.price),
        str((request.quantity * 1000).to_integral_value()) if perp else str(request.quantity),
        BTCUSD_PERP if perp else BTCUSDT, request.time_in_force)


async def send(venue: SimulatedVenue, command: VenueCommand) -> list[VenueEvent]:
    if command.kind is VenueCommandKind.SUBMIT:
        return await venue.submit(command.request, command.sent_at_ns)
    return await venue.cancel(command.request.client_order_id, command.request.instrument, command.sent_at_ns)


async def undisturbed(venue: SimulatedVenue, commands: list[VenueCommand]) -> list[VenueEvent]:
    events = [event for command in commands for event in await send(venue, command)]
    return events + await venue.advance_to(START_NS + 2 * STEPS * STEP_NS)


@given(command_scripts(), st.integers(0, 12))
@settings(max_examples=60, deadline=None)
def test_recovery_at_any_cut_continues_the_undisturbed_run(
    tape: Path, commands: list[VenueCommand], cut: int
) -> None:
    async def killed() -> list[VenueEvent]:
        venue = a_venue(tape)
        events = await venue.recover(commands[:cut])
        for command in commands[cut:]:
            events += await send(venue, command)
        return events + await venue.advance_to(START_NS + 2 * STEPS * STEP_NS)

    assert now(killed) == now(lambda: undisturbed(a_venue(tape), commands))


@given(command_scripts(), st.lists(moments, max_size=30))
@settings(max_examples=60, deadline=None)
def test_advancing_between_commands_changes_nothing(
    tape: Path, commands: list[VenueCommand], stops: list[int]
) -> None:
    async def with_stops() -> list[VenueEvent]:
        venue, events, waiting = a_venue(tape), list[VenueEvent](), sorted(stops)
        for command in commands:
            while waiting and waiting[0] <= command.sent_at_ns:
                events += await venue.advance_to(waiting.pop(0))
            events += await send(venue, command)
        return events + await venue.advance_to(START_NS + 2 * STEPS * STEP_NS)

    assert now(with_stops) == now(lambda: undisturbed(a_venue(tape), commands))


@given(command_scripts())
@settings(max_examples=30, deadline=None)
def test_recovering_again_repeats_what_is_known_and_does_nothing_twice(
    tape: Path, commands: list[VenueCommand]
) -> None:
    async def twice() -> tuple[list[VenueEvent], list[VenueEvent]]:
        venue = a_venue(tape)
        return await venue.recover(commands), await venue.recover(commands)

    first, second = now(twice)

    assert first == second

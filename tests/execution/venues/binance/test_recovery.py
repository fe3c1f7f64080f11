"""The fate of orders is asked for until it is certain, and nothing is ever sent again."""

import asyncio

import pytest

from execution.venues.interface import VenueCommand, VenueCommandKind, VenueOutcomeUnknown
from sluice.envelope import client_order_id
from tests.execution.venues.binance.requests_made import an_order
from tests.execution.venues.binance.scripted_exchange import Twist, error
from tests.execution.venues.binance.venues import NOW_NS, Stand, a_stand, commands

PLACE, CANCEL, QUERY = "POST /fapi/v1/order", "DELETE /fapi/v1/order", "GET /fapi/v1/order"
TRADES = "GET /fapi/v1/userTrades"
ID = client_order_id("d-1")


async def place_unanswered(stand: Stand, *, done: bool) -> None:
    stand.exchange.script[PLACE].append(Twist(done=done))
    with pytest.raises(VenueOutcomeUnknown):
        await stand.venue.submit(an_order(), NOW_NS)


async def told(stand: Stand, *, cancel: bool = False) -> list[str]:
    return [event.kind.name for event in await stand.venue.recover(commands(cancel=cancel))]


def test_an_unanswered_order_that_arrived_is_found_with_its_fills_and_fees() -> None:
    async def story() -> None:
        async with a_stand() as stand:
            await place_unanswered(stand, done=True)
            stand.exchange.fill(ID, "0.003", tell=False)
            stand.exchange.fill(ID, "0.007", tell=False)
            events = await stand.venue.recover(commands())
            assert [event.kind.name for event in events] == ["ACCEPTED", "FILL", "FILL"]
            assert [str(event.fill.fee) for event in events if event.fill] == ["0.12000020"] * 2
            assert stand.slept[-1:] != [6.0]
            assert len(stand.exchange.asked(PLACE)) == 1

    asyncio.run(story())


def test_an_order_is_certainly_absent_only_when_it_can_no_longer_arrive() -> None:
    async def story() -> None:
        async with a_stand() as stand:
            await place_unanswered(stand, done=False)
            assert await told(stand) == []
            # The window of reception and a second: until then the exchange could still have taken it.
            assert 6.0 in stand.slept
            assert len(stand.exchange.asked(QUERY)) == 2
            assert len(stand.exchange.asked(TRADES)) == 1

    asyncio.run(story())


def test_an_order_that_arrives_between_the_two_questions_is_found() -> None:
    async def story() -> None:
        async with a_stand() as stand:
            await place_unanswered(stand, done=True)
            stand.exchange.script[QUERY].append(error(400, -2013))
            assert await told(stand) == ["ACCEPTED"]

    asyncio.run(story())


def test_an_order_that_is_not_known_but_has_traded_is_no_absent_one() -> None:
    async def story() -> None:
        async with a_stand() as stand:
            await place_unanswered(stand, done=True)
            stand.exchange.fill(ID, "0.003", tell=False)
            stand.exchange.script[QUERY].extend([error(400, -2013)] * 2)
            with pytest.raises(VenueOutcomeUnknown, match="has traded"):
                await stand.venue.recover(commands())

    asyncio.run(story())


@pytest.mark.parametrize("twist", [
    Twist(502, ""), error(400, -1007), error(429, -1003), Twist(), Twist(200, "[]"), error(401, -2015)])
def test_a_question_that_is_not_answered_leaves_the_fate_unknown(twist: Twist) -> None:
    async def story() -> None:
        async with a_stand() as stand:
            await stand.venue.submit(an_order(), NOW_NS)
            stand.exchange.script[QUERY].append(twist)
            with pytest.raises(VenueOutcomeUnknown):
                await stand.venue.recover(commands())

    asyncio.run(story())


def test_trades_that_do_not_add_up_yet_leave_the_fate_unknown() -> None:
    async def story() -> None:
        async with a_stand() as stand:
            await stand.venue.submit(an_order(), NOW_NS)
            stand.exchange.fill(ID, "0.004", tell=False)
            stand.exchange.script[TRADES].append(Twist(200, "[]"))
            with pytest.raises(VenueOutcomeUnknown, match="must add up"):
                await stand.venue.recover(commands())

    asyncio.run(story())


def test_what_still_rests_although_a_cancel_was_asked_for_is_cancelled_again() -> None:
    async def story() -> None:
        async with a_stand() as stand:
            await stand.venue.submit(an_order(), NOW_NS)
            stand.exchange.fill(ID, "0.004", tell=False)
            assert await told(stand, cancel=True) == ["ACCEPTED", "CANCELED", "FILL"]
            assert len(stand.exchange.asked(CANCEL)) == 1
            assert await told(stand, cancel=True) == ["ACCEPTED", "CANCELED", "FILL"]
            assert len(stand.exchange.asked(CANCEL)) == 1

    asyncio.run(story())


def test_a_cancel_that_cannot_be_sent_again_leaves_the_fate_unknown() -> None:
    async def story() -> None:
        async with a_stand() as stand:
            await stand.venue.submit(an_order(), NOW_NS)
            stand.exchange.script[CANCEL].append(error(503, -1008))
            with pytest.raises(VenueOutcomeUnknown, match="must be taken"):
                await stand.venue.recover(commands(cancel=True))

    asyncio.run(story())


def test_many_orders_are_asked_about_and_each_is_told() -> None:
    async def story() -> None:
        async with a_stand() as stand:
            asked = []
            for number in range(12):
                order = an_order(f"d-{number}")
                await stand.venue.submit(order, NOW_NS)
                asked.append(VenueCommand(VenueCommandKind.SUBMIT, order, NOW_NS))
            events = await stand.venue.recover(asked)
            assert {event.client_order_id for event in events} == {client_order_id(f"d-{n}") for n in range(12)}

    asyncio.run(story())

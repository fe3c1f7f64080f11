"""Starts after a crash at each point between journal, sending and answer: no order is lost and none is doubled."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import grpc
import psycopg
import pytest

from execution.codec import read_order
from execution.journal import Journal
from execution.ledger import Draft, Ledger, NewOrder
from execution.state_machine import Occurrence
from execution.venues.interface import VenueCommand, VenueEvent, VenueOutcomeUnknown
from sluice.envelope import MAX_LIFETIME_NS, client_order_id
from sluice.errors import NotRunningError
from sluice.execution.v1 import execution_pb2 as messages
from sluice.instruments import InstrumentCatalog
from sluice.orders import ReportKind
from sluice.risk.v1 import order_pb2
from sluice.risk.v1.approval_pb2 import Approval
from sluice.risk.v1.order_pb2 import Order
from sluice.stores.embedded import StoreUrls
from sluice.stores.migrations import migrate
from sluice.stores.postgres import schema_of
from tests.execution.rig import START_NS, RecordingVenue, Rig, a_rig, an_order_message

KINDS = messages.ReportKind


class AskedVenue(RecordingVenue):
    """A venue that, as a real one, only tells about orders at a recovery and never sends one then."""

    unsure = False

    async def recover(self, commands: Sequence[VenueCommand]) -> list[VenueEvent]:
        if self.unsure:
            raise VenueOutcomeUnknown("503")
        asked = dict.fromkeys(command.request.client_order_id for command in commands)
        return [event for identity in asked for event in self._events.get(identity, [])]


async def journalled(rig: Rig, approval: Approval, *, time_ns: int = START_NS, cancel: bool = False) -> None:
    """Leave the journal as a process leaves it that dies after journalling and before the venue's answer."""
    schema = schema_of(rig.settings.run.namespace, "execution")
    await asyncio.to_thread(migrate, rig.urls.postgres_url, schema, "execution.migrations")
    journal = await Journal.open(rig.urls.postgres_url, schema)
    draft = Draft(Ledger())
    request = read_order(Order.FromString(approval.order), client_order_id(approval.decision_id),
                         InstrumentCatalog.shipped())
    new = NewOrder(approval.decision_id, approval.nonce, approval.order, approval.expires_at_ns)
    draft.submit(request, new, START_NS + 1)
    if cancel:
        draft.occur(request.client_order_id, Occurrence(ReportKind.CANCEL_REQUESTED, START_NS + 2))
    await journal.write(draft)
    await journal.write_time(time_ns)
    await journal.close()


async def what_happened(rig: Rig) -> list[str]:
    return [KINDS.Name(report.kind).removeprefix("REPORT_KIND_") for report in await rig.reports()]


@pytest.mark.parametrize("venue", [RecordingVenue, AskedVenue])
def test_an_order_that_was_journalled_but_not_sent_is_sent_once(
        stores: StoreUrls, tmp_path: Path, venue: type[RecordingVenue]) -> None:
    async def story() -> None:
        rig = a_rig(stores, tmp_path)
        rig.venue = venue()
        await journalled(rig, rig.approver.approval("d-1"))
        for _ in range(2):
            async with rig.running():
                assert await what_happened(rig) == ["SUBMITTED", "ACCEPTED"]
        assert rig.venue.submitted == [client_order_id("d-1")]

    asyncio.run(story())


def test_an_order_that_was_sent_but_not_answered_is_not_sent_again(stores: StoreUrls, tmp_path: Path) -> None:
    async def story() -> None:
        rig = a_rig(stores, tmp_path)
        approval = rig.approver.approval("d-1")
        await journalled(rig, approval)
        request = read_order(Order.FromString(approval.order), client_order_id("d-1"), InstrumentCatalog.shipped())
        rig.venue = AskedVenue()
        await rig.venue.submit(request, START_NS + 1)
        async with rig.running():
            assert await what_happened(rig) == ["SUBMITTED", "ACCEPTED"]
            assert (await rig.refusal(rig.approver.signer.sign(approval)))[0] == "REPLAYED"
        assert rig.venue.submitted == [client_order_id("d-1")]

    asyncio.run(story())


def test_an_unsent_order_whose_approval_has_expired_is_closed_and_not_sent(stores: StoreUrls, tmp_path: Path) -> None:
    async def story() -> None:
        rig = a_rig(stores, tmp_path)
        rig.venue = AskedVenue()
        await journalled(rig, rig.approver.approval("d-1"), time_ns=START_NS + MAX_LIFETIME_NS + 1)
        async with rig.running():
            assert await what_happened(rig) == ["SUBMITTED", "REJECTED"]
        assert rig.venue.submitted == []

    asyncio.run(story())


def test_a_cancel_that_was_journalled_is_carried_out(stores: StoreUrls, tmp_path: Path) -> None:
    async def story() -> None:
        rig = a_rig(stores, tmp_path)
        await journalled(rig, rig.approver.approval("d-1"), cancel=True)
        async with rig.running():
            assert await what_happened(rig) == ["SUBMITTED", "CANCEL_REQUESTED", "ACCEPTED", "CANCELED"]

    asyncio.run(story())


def test_the_service_does_not_serve_when_the_venue_cannot_tell(stores: StoreUrls, tmp_path: Path) -> None:
    async def story() -> None:
        rig = a_rig(stores, tmp_path)
        venue = AskedVenue()
        venue.unsure, rig.venue = True, venue
        await journalled(rig, rig.approver.approval("d-1"))
        with pytest.raises(NotRunningError, match="fate"):
            async with rig.running():
                pass
        venue.unsure = False
        async with rig.running():
            assert await what_happened(rig) == ["SUBMITTED", "ACCEPTED"]

    asyncio.run(story())


def test_events_that_the_venue_tells_again_are_not_journalled_again(stores: StoreUrls, tmp_path: Path) -> None:
    async def story() -> None:
        rig = a_rig(stores, tmp_path)
        async with rig.running():
            await rig.advance(START_NS)
            order = await rig.submit(rig.approver.signed("d-1"))
            for number in range(2):
                rig.venue.arrange_fill(order.client_order_id, START_NS + 10**9 + number, "0.5", f"t{number}")
            await rig.advance(START_NS + 2 * 10**9)
            before = await rig.reports()
        assert len(before) == 4
        for _ in range(2):
            async with rig.running():
                assert await rig.reports() == before
                await rig.execution.Reconcile(messages.ReconcileRequest())
                assert await rig.reports() == before

    asyncio.run(story())


def test_a_caller_that_goes_away_does_not_stop_its_order_half_way(stores: StoreUrls, tmp_path: Path) -> None:
    class SlowVenue(RecordingVenue):
        async def submit(self, request: object, sent_at_ns: int) -> list[VenueEvent]:
            await asyncio.sleep(0.3)
            return await super().submit(request, sent_at_ns)  # type: ignore[arg-type]  # handed through

    async def story() -> None:
        rig = a_rig(stores, tmp_path)
        rig.venue = SlowVenue()
        async with rig.running():
            await rig.advance(START_NS)
            calling = asyncio.ensure_future(rig.submit(rig.approver.signed("d-1")))
            await asyncio.sleep(0.1)
            calling.cancel()
            await asyncio.gather(calling, return_exceptions=True)
            await rig.advance(START_NS + 1)
            assert await what_happened(rig) == ["SUBMITTED", "ACCEPTED"]

    asyncio.run(story())


def test_a_bug_on_the_way_stops_the_service_and_a_restart_loses_nothing(stores: StoreUrls, tmp_path: Path) -> None:
    class BrokenVenue(RecordingVenue):
        broken = True

        async def advance_to(self, event_time_ns: int) -> list[VenueEvent]:
            if self.broken and event_time_ns > START_NS:
                raise RuntimeError("a bug")
            return await super().advance_to(event_time_ns)

    async def story() -> None:
        rig = a_rig(stores, tmp_path)
        venue = rig.venue = BrokenVenue()
        async with rig.running():
            await rig.advance(START_NS)
            order = await rig.submit(rig.approver.signed("d-1"))
            venue.arrange_fill(order.client_order_id, START_NS + 5)
            for code in (grpc.StatusCode.INTERNAL, grpc.StatusCode.UNAVAILABLE):
                with pytest.raises(grpc.aio.AioRpcError) as caught:
                    await rig.advance(START_NS + 10)
                assert caught.value.code() is code
        venue.broken = False
        async with rig.running():
            await rig.advance(START_NS + 10)
            assert await what_happened(rig) == ["SUBMITTED", "ACCEPTED", "FILL"]

    asyncio.run(story())


def cut_off(rig: Rig) -> None:
    """End the service's connections to PostgreSQL, as the end of a server does."""
    with psycopg.connect(rig.urls.postgres_url, autocommit=True) as connection:
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s",
                           (f"sluice {rig.settings.run.namespace}_execution",))


def test_a_journal_that_cannot_be_read_stops_the_service_for_good(stores: StoreUrls, tmp_path: Path) -> None:
    async def story() -> None:
        rig = a_rig(stores, tmp_path)
        async with rig.running():
            await rig.advance(START_NS)
            await rig.submit(rig.approver.signed("d-1"))
        async with rig.running():  # its reports are in the journal alone now
            cut_off(rig)
            for ask in (rig.reports(), rig.advance(START_NS + 1)):
                with pytest.raises(grpc.aio.AioRpcError) as caught:
                    await ask
                assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
        async with rig.running():
            assert await what_happened(rig) == ["SUBMITTED", "ACCEPTED"]

    asyncio.run(story())


def test_after_a_start_nothing_is_sent_before_the_event_time_is_told(stores: StoreUrls, tmp_path: Path) -> None:
    """What PostgreSQL lost with a crash of its own is an earlier time, at which nothing may be sent any more."""
    async def story() -> None:
        rig = a_rig(stores, tmp_path)
        async with rig.running():
            await rig.advance(START_NS)
            order = await rig.submit(rig.approver.signed("d-1"))
        approval = rig.approver.signed("d-2", now_ns=START_NS + 10)
        async with rig.running():
            cancel = messages.CancelOrderRequest(client_order_id=order.client_order_id)
            void = messages.VoidApprovalRequest(approval=approval)
            for ask in (rig.submit(approval), rig.execution.CancelOrder(cancel), rig.execution.VoidApproval(void),
                        rig.execution.CancelAll(messages.CancelAllRequest())):
                with pytest.raises(grpc.aio.AioRpcError, match="must be told the event time") as caught:
                    await ask
                assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
            assert await what_happened(rig) == ["SUBMITTED", "ACCEPTED"]
            await rig.advance(START_NS + 10)
            await rig.submit(approval)
            await rig.execution.CancelOrder(cancel)
            assert (await rig.reports(3))[0].event_time_ns == START_NS + 11

    asyncio.run(story())


def test_a_journal_that_fails_stops_the_service_for_good(stores: StoreUrls, tmp_path: Path) -> None:
    async def story() -> None:
        rig = a_rig(stores, tmp_path)
        async with rig.running():
            await rig.advance(START_NS)
            cut_off(rig)
            for number in range(2):
                with pytest.raises(grpc.aio.AioRpcError) as caught:
                    await rig.submit(rig.approver.signed(f"d-{number}"))
                assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
            assert rig.venue.submitted == []

    asyncio.run(story())


def test_both_sides_of_a_trade_with_ourselves_are_journalled_and_restored(stores: StoreUrls, tmp_path: Path) -> None:
    async def story() -> None:
        rig = a_rig(stores, tmp_path)
        names = ("bought", "sold")
        async with rig.running():
            await rig.advance(START_NS)
            for name, side in zip(names, (order_pb2.SIDE_BUY, order_pb2.SIDE_SELL), strict=True):
                await rig.submit(rig.approver.signed(name, an_order_message(side=side)))
                rig.venue.arrange_fill(client_order_id(name), START_NS + 10_000_000, trade_id="both")
            await rig.advance(START_NS + 20_000_000)
        async with rig.running():
            await rig.advance(START_NS + 20_000_000)
            answer = await rig.execution.ListOrders(messages.ListOrdersRequest())
            assert [order.filled_quantity for order in answer.orders] == ["0.4", "0.4"]

    asyncio.run(story())

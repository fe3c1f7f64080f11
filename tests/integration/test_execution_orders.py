"""The execution service over gRPC with real stores: orders, cancels, reports and event time."""

import asyncio
from pathlib import Path

import grpc
import pytest

from sluice.execution.v1 import execution_pb2 as messages
from sluice.stores.embedded import StoreUrls
from tests.execution.rig import LATENCY_NS, START_NS, Rig, a_rig, a_running_rig, client_order_id

SECOND = 1_000_000_000
KINDS = messages.ReportKind


async def kinds(rig: Rig) -> list[str]:
    return [KINDS.Name(report.kind).removeprefix("REPORT_KIND_") for report in await rig.reports()]


def test_an_approved_order_is_sent_and_its_reports_are_numbered_without_holes(
        stores: StoreUrls, tmp_path: Path) -> None:
    async def story() -> None:
        async with a_running_rig(stores, tmp_path) as rig:
            order = await rig.submit(rig.approver.signed("d-1"))
            assert order.status == messages.ORDER_STATUS_ACCEPTED
            assert order.client_order_id == client_order_id("d-1")
            rig.venue.arrange_fill(order.client_order_id, START_NS + SECOND // 2)
            await rig.advance(START_NS + SECOND)
            reports = await rig.reports()
            assert [report.sequence for report in reports] == [1, 2, 3]
            assert await kinds(rig) == ["SUBMITTED", "ACCEPTED", "FILL"]
            assert reports[-1].fill.price == "60000"
            assert [report.sequence for report in await rig.reports(first=2)] == [2, 3]
            found = (await rig.execution.GetOrder(messages.GetOrderRequest(decision_id="d-1"))).order
            assert (found.filled_quantity, found.average_price, found.fees) == ("0.4", "60000", "0.01")
            assert found.status == messages.ORDER_STATUS_PARTIALLY_FILLED

    asyncio.run(story())


def test_reports_of_a_tick_s_orders_lie_after_the_tick_however_often_it_is_asked(
        stores: StoreUrls, tmp_path: Path) -> None:
    async def story() -> None:
        async with a_running_rig(stores, tmp_path) as rig:
            order = await rig.submit(rig.approver.signed("d-1"))
            rig.venue.arrange_fill(order.client_order_id, START_NS + SECOND)
            assert await rig.advance(START_NS) == 0
            assert await rig.advance(START_NS + 1) == 1
            assert await rig.advance(START_NS + 1 + LATENCY_NS) == 2
            assert await rig.advance(START_NS + SECOND) == 3
            await rig.execution.CancelOrder(messages.CancelOrderRequest(client_order_id=order.client_order_id))
            assert [await rig.advance(START_NS + at) for at in (0, LATENCY_NS + 1, SECOND, SECOND // 2)] == [0, 2, 3, 2]
            assert await rig.advance(START_NS + 2 * SECOND) == 5

    asyncio.run(story())


def test_a_cancel_is_sent_once_when_it_is_asked_for_twice(stores: StoreUrls, tmp_path: Path) -> None:
    async def story() -> None:
        async with a_running_rig(stores, tmp_path) as rig:
            order = await rig.submit(rig.approver.signed("d-1"))
            request = messages.CancelOrderRequest(client_order_id=order.client_order_id, reason="patience")
            answers = [(await rig.execution.CancelOrder(request)).order.status for _ in range(2)]
            assert answers == [messages.ORDER_STATUS_CANCELED] * 2
            assert rig.venue.cancelled == [order.client_order_id]
            assert await kinds(rig) == ["SUBMITTED", "ACCEPTED", "CANCEL_REQUESTED", "CANCELED"]

    asyncio.run(story())


def test_cancel_all_leaves_no_order_open(stores: StoreUrls, tmp_path: Path) -> None:
    async def story() -> None:
        async with a_running_rig(stores, tmp_path) as rig:
            for number in range(3):
                await rig.submit(rig.approver.signed(f"d-{number}"))
            other = await rig.execution.CancelAll(messages.CancelAllRequest(instrument="BINANCE_USDM:ETHUSDT"))
            assert not other.orders
            every = await rig.execution.CancelAll(messages.CancelAllRequest())
            assert len(every.orders) == 3
            assert not (await rig.execution.ListOrders(messages.ListOrdersRequest(open_only=True))).orders
            assert len((await rig.execution.ListOrders(messages.ListOrdersRequest())).orders) == 3

    asyncio.run(story())


def test_an_unanswered_order_is_unknown_until_the_venue_has_told(stores: StoreUrls, tmp_path: Path) -> None:
    async def story() -> None:
        async with a_running_rig(stores, tmp_path) as rig:
            arrived, lost = client_order_id("d-arrived"), client_order_id("d-lost")
            rig.venue.unknown.add(arrived)
            rig.venue.lost.add(lost)
            for decision in ("d-arrived", "d-lost"):
                assert (await rig.submit(rig.approver.signed(decision))).status == messages.ORDER_STATUS_UNKNOWN
            assert len((await rig.execution.ListOrders(messages.ListOrdersRequest(open_only=True))).orders) == 2
            changed = (await rig.execution.Reconcile(messages.ReconcileRequest())).changed
            assert {order.client_order_id: order.status for order in changed} == {
                arrived: messages.ORDER_STATUS_ACCEPTED, lost: messages.ORDER_STATUS_REJECTED}
            assert rig.venue.submitted == [arrived]
            assert not (await rig.execution.Reconcile(messages.ReconcileRequest())).changed

    asyncio.run(story())


def test_a_reader_gets_history_and_then_what_happens_without_gap_or_duplicate(
        stores: StoreUrls, tmp_path: Path) -> None:
    async def story() -> None:
        async with a_running_rig(stores, tmp_path) as rig:
            await rig.submit(rig.approver.signed("d-0"))
            stream = rig.execution.StreamReports(messages.StreamReportsRequest(from_sequence=1))
            first = await anext(aiter(stream))
            assert (first.HasField("report"), first.last_sequence) == (False, 2)

            async def read() -> list[int]:
                return [(await anext(aiter(stream))).report.sequence for _ in range(22)]

            reading = asyncio.ensure_future(read())
            await asyncio.gather(*(rig.submit(rig.approver.signed(f"d-{number}")) for number in range(1, 11)))
            assert await asyncio.wait_for(reading, 10) == list(range(1, 23))

    asyncio.run(story())


@pytest.mark.parametrize("request_", [
    messages.GetOrderRequest(client_order_id="sl-none"), messages.GetOrderRequest(decision_id="none"),
    messages.GetOrderRequest()])
def test_an_order_that_does_not_exist_is_not_found(
        stores: StoreUrls, tmp_path: Path, request_: messages.GetOrderRequest) -> None:
    async def story() -> None:
        async with a_running_rig(stores, tmp_path) as rig:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await rig.execution.GetOrder(request_)
            assert caught.value.code() is grpc.StatusCode.NOT_FOUND

    asyncio.run(story())


def test_a_restart_continues_with_the_same_orders_reports_and_time(stores: StoreUrls, tmp_path: Path) -> None:
    async def story() -> None:
        rig = a_rig(stores, tmp_path)
        async with rig.running():
            await rig.advance(START_NS)
            order = await rig.submit(rig.approver.signed("d-1"))
            rig.venue.arrange_fill(order.client_order_id, START_NS + SECOND)
            await rig.advance(START_NS + 3 * SECOND)
            before = await rig.reports()
        async with rig.running():
            assert await rig.reports() == before
            assert await rig.advance(START_NS + 2 * SECOND) == 3
            later = rig.approver.signed("d-2", now_ns=START_NS + 3 * SECOND)
            assert (await rig.submit(later)).status == messages.ORDER_STATUS_ACCEPTED
            assert (await rig.refusal(later))[0] == "REPLAYED"
            assert [report.sequence for report in await rig.reports()] == [1, 2, 3, 4, 5]

    asyncio.run(story())


def test_a_second_writer_of_the_same_journal_cannot_start(
        stores: StoreUrls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from execution import journal
    from sluice.errors import NotRunningError

    monkeypatch.setattr(journal, "_LOCK_WAIT_S", 0.2)

    async def story() -> None:
        async with a_running_rig(stores, tmp_path) as rig:
            with pytest.raises(NotRunningError, match="only writer"):
                async with rig.running():
                    pass

    asyncio.run(story())

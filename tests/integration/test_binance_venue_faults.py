"""A served exchange that fails on purpose: no order is lost, doubled or called rejected without proof."""

import asyncio
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from sluice.envelope import client_order_id
from sluice.execution.v1 import execution_pb2 as messages
from sluice.stores.embedded import StoreUrls
from tests.execution.venues.binance.served import ServedExchange, a_served_exchange
from tests.integration.binance_desk import BinanceDesk, a_binance_desk, total

PLACE = {"operation": "POST order"}


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedExchange]:
    with a_served_exchange(tmp_path_factory.mktemp("exchange")) as served:
        yield served


def orders_named(exchange: ServedExchange, desk: BinanceDesk, name: str) -> int:
    """Count the orders of a name that the exchange has ever seen."""
    rows = exchange.signed("GET", "/fapi/v1/allOrders", symbol="BTCUSDT", limit="1000")
    return sum(1 for row in rows if row["clientOrderId"] == client_order_id(desk.decision(name)))


@pytest.mark.parametrize("route", ["rest", "websocket"])
@pytest.mark.parametrize("kind", ["unknown_executed", "timeout_executed", "drop_answer"])
def test_an_order_that_was_taken_without_an_answer_is_found_once(
        stores: StoreUrls, tmp_path: Path, exchange: ServedExchange, kind: str, route: str) -> None:
    async def story() -> None:
        async with a_binance_desk(stores, tmp_path, exchange, order_route=route) as desk:
            exchange.fault(kind, **PLACE)
            assert await desk.resting("unsure") == "UNKNOWN"
            await desk.until("unsure", "ACCEPTED")
            assert await asyncio.to_thread(orders_named, exchange, desk, "unsure") == 1
            await desk.cancel("unsure")
            await desk.until("unsure", "CANCELED")

    asyncio.run(story())


@pytest.mark.parametrize("kind", ["unknown_not_executed", "timeout_not_executed", "drop"])
def test_an_order_that_was_never_taken_is_closed_after_proof_and_not_sent_again(
        stores: StoreUrls, tmp_path: Path, exchange: ServedExchange, kind: str) -> None:
    async def story() -> None:
        async with a_binance_desk(stores, tmp_path, exchange) as desk:
            exchange.fault(kind, **PLACE)
            assert await desk.resting("lost") == "UNKNOWN"
            order = await desk.until("lost", "REJECTED")
            assert order.message == "the venue does not have this order"
            assert await desk.told("lost") == ["SUBMITTED", "UNKNOWN", "REJECTED"]
            assert await asyncio.to_thread(orders_named, exchange, desk, "lost") == 0

    asyncio.run(story())


@pytest.mark.parametrize(("kind", "text"), [
    ("service_unavailable", "Service Unavailable."), ("internal_error", "Internal error"),
    ("throttled", "-1008"), ("too_many_requests", "-1003"), ("banned", "-1003")])
def test_what_certainly_failed_is_rejected_at_once(
        stores: StoreUrls, tmp_path: Path, exchange: ServedExchange, kind: str, text: str) -> None:
    async def story() -> None:
        async with a_binance_desk(stores, tmp_path, exchange) as desk:
            exchange.fault(kind, **PLACE, milliseconds=1_000)
            assert await desk.resting("refused") == "REJECTED"
            assert text in (await desk.order("refused")).message
            if kind in {"too_many_requests", "banned"}:
                assert "not sent" in await message_of_next(desk)

    asyncio.run(story())


async def message_of_next(desk: BinanceDesk) -> str:
    await desk.resting("next")
    return str((await desk.order("next")).message)


@pytest.mark.parametrize(("kind", "times", "milliseconds"), [
    ("duplicate_user_events", 0, 0), ("reorder_user_events", 3, 0), ("delay_user_events", 0, 300)])
def test_user_events_that_repeat_or_come_late_count_once(
        stores: StoreUrls, tmp_path: Path, exchange: ServedExchange, kind: str, times: int, milliseconds: int) -> None:
    async def story() -> None:
        async with a_binance_desk(stores, tmp_path, exchange) as desk:
            exchange.fault(kind, times=times, milliseconds=milliseconds)
            await desk.taking("counted", "1.500")
            await desk.until("counted", "FILLED")
            assert total(await desk.fills("counted")) == Decimal("1.500")

    asyncio.run(story())


def test_a_fill_whose_user_event_is_lost_is_found_by_asking(
        stores: StoreUrls, tmp_path: Path, exchange: ServedExchange) -> None:
    async def story() -> None:
        async with a_binance_desk(stores, tmp_path, exchange, resting_question_s=1) as desk:
            exchange.fault("drop_user_events", times=0)
            await desk.taking("unheard", "0.050")
            await desk.until("unheard", "FILLED")
            assert total(await desk.fills("unheard")) == Decimal("0.050")
            assert all(Decimal(report.fill.fee) > 0 for report in await desk.fills("unheard"))

    asyncio.run(story())


@pytest.mark.parametrize("kind", ["disconnect", "expire_listen_keys"])
def test_a_user_stream_that_ends_is_joined_again_and_nothing_is_missed(
        stores: StoreUrls, tmp_path: Path, exchange: ServedExchange, kind: str) -> None:
    async def story() -> None:
        async with a_binance_desk(stores, tmp_path, exchange) as desk:
            exchange.fault(kind)
            await desk.taking("around", "0.050")
            await desk.until("around", "FILLED")
            await desk.taking("after", "0.050")
            await desk.until("after", "FILLED")
            assert total(await desk.fills("around")) == Decimal("0.050")

    asyncio.run(story())


@pytest.mark.parametrize("offset_ms", [-30_000, 30_000])
def test_a_clock_that_is_put_wrong_is_measured_and_followed(
        stores: StoreUrls, tmp_path: Path, exchange: ServedExchange, offset_ms: int) -> None:
    async def story() -> None:
        async with a_binance_desk(stores, tmp_path, exchange) as desk:
            exchange.fault("clock_offset", milliseconds=offset_ms, times=0)
            assert await desk.resting("late") == "ACCEPTED"
            await desk.cancel("late")
            await desk.until("late", "CANCELED")

    asyncio.run(story())


def test_a_cancel_does_not_wait_for_the_fates_of_others(
        stores: StoreUrls, tmp_path: Path, exchange: ServedExchange) -> None:
    async def story() -> None:
        async with a_binance_desk(stores, tmp_path, exchange) as desk:
            assert await desk.resting("kept") == "ACCEPTED"
            exchange.fault("drop", **PLACE)
            assert await desk.resting("lost") == "UNKNOWN"
            reconciling = asyncio.ensure_future(desk.rig.execution.Reconcile(messages.ReconcileRequest()))
            await asyncio.sleep(0.1)
            await desk.cancel("kept")
            await desk.until("kept", "CANCELED")
            assert not reconciling.done(), "it must be asking still, so that this test means something"
            await reconciling
            await desk.until("lost", "REJECTED")

    asyncio.run(story())


@pytest.mark.parametrize("kind", ["too_many_requests", "throttled", "service_unavailable"])
def test_a_cancel_that_was_not_carried_out_is_carried_out_later(
        stores: StoreUrls, tmp_path: Path, exchange: ServedExchange, kind: str) -> None:
    async def story() -> None:
        async with a_binance_desk(stores, tmp_path, exchange) as desk:
            assert await desk.resting("kept") == "ACCEPTED"
            exchange.fault(kind, operation="DELETE order", milliseconds=1_000)
            await desk.cancel("kept")
            await desk.until("kept", "CANCELED")

    asyncio.run(story())


def test_a_cancel_without_an_answer_is_carried_through(
        stores: StoreUrls, tmp_path: Path, exchange: ServedExchange) -> None:
    async def story() -> None:
        async with a_binance_desk(stores, tmp_path, exchange) as desk:
            assert await desk.resting("kept") == "ACCEPTED"
            exchange.fault("timeout_not_executed", operation="DELETE order")
            await desk.cancel("kept")
            await desk.until("kept", "CANCELED")

    asyncio.run(story())

"""Somebody else trades on the account: execution sees it, and grows no position on figures that are wrong."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from sluice.errors import NotRunningError
from sluice.stores.embedded import StoreUrls
from tests.execution.rig import an_order_message
from tests.execution.venues.binance.served import ServedExchange, a_served_exchange
from tests.integration.binance_desk import SELL, BinanceDesk, a_binance_desk, a_venue

REFUSED = ("ACCOUNT_DIFFERS", grpc.StatusCode.FAILED_PRECONDITION)


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedExchange]:
    with a_served_exchange(tmp_path_factory.mktemp("exchange")) as served:
        yield served


async def refusal(desk: BinanceDesk, name: str) -> tuple[str, grpc.StatusCode]:
    """Try to send an order that would rest; tell how it was refused."""
    bid, _ = desk.exchange.best()
    now_ns = time.time_ns()
    order = an_order_message(quantity="0.010", price=str(bid - 500))
    return await desk.rig.refusal(desk.rig.approver.signed(desk.decision(name), order, now_ns))


async def until_refused(desk: BinanceDesk) -> None:
    async with asyncio.timeout(20):
        for number in range(1_000):
            if await refusal(desk, f"try-{number}") == REFUSED:
                return
            await asyncio.sleep(0.2)


def test_after_a_fill_that_is_not_ours_only_the_way_out_is_open(
        stores: StoreUrls, tmp_path: Path, exchange: ServedExchange) -> None:
    async def story() -> None:
        async with a_binance_desk(stores, tmp_path, exchange) as desk:
            await desk.resting("before")
            await desk.taking("bought", "0.050")
            await desk.until("bought", "FILLED")
            await asyncio.to_thread(exchange.trade, "BUY", "0.020")
            await until_refused(desk)
            kinds = [report.kind for report in await desk.rig.reports()]
            assert 10 in kinds, "risk must hear that nothing will be sent, so that it frees what it set aside"
            bid, _ = exchange.best()
            await desk.submit("out", side=SELL, quantity="0.050", price=str(bid - 200), reduce_only=True)
            await desk.until("out", "FILLED")
            await desk.cancel("before")
            await desk.until("before", "CANCELED")

    asyncio.run(story())


def test_a_fill_of_somebody_else_that_no_message_told_is_found_by_comparing(
        stores: StoreUrls, tmp_path: Path, exchange: ServedExchange) -> None:
    async def story() -> None:
        async with a_binance_desk(stores, tmp_path, exchange, account_question_s=1) as desk:
            assert await desk.resting("fine") == "ACCEPTED"
            exchange.fault("drop_user_events", times=0)
            await asyncio.to_thread(exchange.trade, "SELL", "0.020")
            await until_refused(desk)

    asyncio.run(story())


def test_a_start_on_an_account_that_is_not_as_the_journal_has_it_is_refused_or_accepted_by_a_setting(
        stores: StoreUrls, tmp_path: Path, exchange: ServedExchange) -> None:
    async def story() -> None:
        async with a_binance_desk(stores, tmp_path, exchange) as desk:
            rig = desk.rig
            await desk.taking("ours", "0.030")
            await desk.until("ours", "FILLED")
        await asyncio.to_thread(exchange.trade, "BUY", "0.020")
        rig.venue = a_venue(rig, exchange)  # type: ignore[assignment]  # any venue does
        with pytest.raises(NotRunningError, match=r"position in BINANCE_USDM:BTCUSDT is 0\.02 more"):
            async with rig.running():
                pass
        execution = rig.settings.execution.model_copy(update={"accept_account": True, "account_question_s": 1})
        rig.settings = rig.settings.model_copy(update={"execution": execution})
        rig.venue = a_venue(rig, exchange)  # type: ignore[assignment]  # as above
        async with rig.running():
            assert await desk.resting("beside") == "ACCEPTED"
            await asyncio.to_thread(exchange.trade, "BUY", "0.010")
            await until_refused(desk)

    asyncio.run(story())


def test_a_start_with_an_order_of_somebody_else_in_the_book_is_refused(
        stores: StoreUrls, tmp_path: Path, exchange: ServedExchange) -> None:
    async def story() -> None:
        async with a_binance_desk(stores, tmp_path, exchange) as desk:
            rig = desk.rig
        bid, _ = exchange.best()
        await asyncio.to_thread(
            exchange.signed, "POST", "/fapi/v1/order", symbol="BTCUSDT", side="BUY", type="LIMIT", timeInForce="GTC",
            quantity="0.010", price=str(bid - 500), newClientOrderId="by-hand")
        rig.venue = a_venue(rig, exchange)  # type: ignore[assignment]  # any venue does
        with pytest.raises(NotRunningError, match="has order by-hand in BINANCE_USDM"):
            async with rig.running():
                pass

    asyncio.run(story())

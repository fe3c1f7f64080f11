"""The execution service trades on a served exchange through the Binance venue: an order's way, its fills and fees."""

import asyncio
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from sluice.envelope import client_order_id
from sluice.stores.embedded import StoreUrls
from tests.execution.venues.binance.served import ServedExchange, a_served_exchange
from tests.integration.binance_desk import GTX, IOC, SELL, a_binance_desk, a_venue, total


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedExchange]:
    with a_served_exchange(tmp_path_factory.mktemp("exchange")) as served:
        yield served


def trades_of(exchange: ServedExchange, order_id: str) -> dict[str, tuple[Decimal, Decimal, Decimal, str]]:
    """Ask the exchange itself: trade id -> quantity, price, fee, asset."""
    rows = exchange.signed("GET", "/fapi/v1/userTrades", symbol="BTCUSDT", orderId=order_id)
    return {str(row["id"]): (Decimal(row["qty"]), Decimal(row["price"]), Decimal(row["commission"]),
                             row["commissionAsset"]) for row in rows}


@pytest.mark.parametrize("route", ["rest", "websocket"])
def test_the_way_of_orders_and_fees_to_the_last_digit(
        stores: StoreUrls, tmp_path: Path, exchange: ServedExchange, route: str) -> None:
    async def story() -> None:
        async with a_binance_desk(stores, tmp_path, exchange, order_route=route) as desk:
            await desk.taking("bought", "2.500")
            order = await desk.until("bought", "FILLED")
            fills = await desk.fills("bought")
            mine = {report.fill.trade_id: (Decimal(report.fill.quantity), Decimal(report.fill.price),
                                           Decimal(report.fill.fee), report.fill.fee_asset) for report in fills}
            assert mine == await asyncio.to_thread(trades_of, exchange, order.venue_order_id)
            assert total(fills) == Decimal("2.500")
            assert Decimal(order.fees) == sum(fee for _, _, fee, _ in mine.values())

            assert await desk.resting("rests") == "ACCEPTED"
            await desk.cancel("rests")
            await desk.until("rests", "CANCELED")
            assert await desk.told("rests") == ["SUBMITTED", "ACCEPTED", "CANCEL_REQUESTED", "CANCELED"]

            assert await desk.taking("crosses", time_in_force=GTX) == "REJECTED"
            assert (await desk.order("crosses")).message.startswith("-5022")
            bid, _ = exchange.best()
            await desk.submit("sold", side=SELL, quantity="2.500", price=str(bid - 500))
            await desk.until("sold", "FILLED")

    asyncio.run(story())


def test_what_cannot_be_filled_at_once_expires(
        stores: StoreUrls, tmp_path: Path, exchange: ServedExchange) -> None:
    async def story() -> None:
        async with a_binance_desk(stores, tmp_path, exchange) as desk:
            await desk.resting("hopeless", time_in_force=IOC)
            order = await desk.until("hopeless", "EXPIRED")
            assert order.message == "what was not filled at once has expired"

    asyncio.run(story())


def test_what_happened_while_the_service_was_away_is_found_at_its_start(
        stores: StoreUrls, tmp_path: Path, exchange: ServedExchange) -> None:
    async def story() -> None:
        async with a_binance_desk(stores, tmp_path, exchange, countdown_s=0) as desk:
            await desk.resting("left")
            rig = desk.rig
        cancelled = await asyncio.to_thread(
            exchange.signed, "DELETE", "/fapi/v1/order", symbol="BTCUSDT",
            origClientOrderId=client_order_id(desk.decision("left")))
        assert cancelled["status"] == "CANCELED"
        rig.venue = a_venue(rig, exchange)  # type: ignore[assignment]  # any venue does
        async with rig.running():
            assert await desk.status("left") == "CANCELED"
            assert await desk.told("left") == ["SUBMITTED", "ACCEPTED", "CANCELED"]

    asyncio.run(story())

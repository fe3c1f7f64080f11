"""The same way for inverse contracts: orders of COIN-M at a served exchange, counted in contracts, paid in coin."""

import asyncio
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from sluice.errors import NotRunningError
from sluice.stores.embedded import StoreUrls
from tests.execution.venues.binance.served import ServedExchange, a_served_exchange
from tests.integration.binance_desk import GTX, SELL, a_binance_desk, a_venue, total

PERPETUAL = "BINANCE_COINM:BTCUSD_PERP"


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedExchange]:
    symbols = '["BTCUSDT", "BTCUSD_PERP"]'
    folder = tmp_path_factory.mktemp("exchange")
    with a_served_exchange(folder, SLUICE_EXCHANGE__SYNTHETIC__SYMBOLS=symbols) as served:
        yield served


@pytest.mark.parametrize("route", ["rest", "websocket"])
def test_the_way_of_inverse_orders_and_fees_in_coin_to_the_last_digit(
        stores: StoreUrls, tmp_path: Path, exchange: ServedExchange, route: str) -> None:
    async def story() -> None:
        async with a_binance_desk(stores, tmp_path, exchange, instrument=PERPETUAL, order_route=route) as desk:
            await desk.taking("bought", "25")
            order = await desk.until("bought", "FILLED")
            fills = await desk.fills("bought")
            rows = await asyncio.to_thread(exchange.signed, "GET", "/dapi/v1/userTrades", symbol="BTCUSD_PERP",
                                           orderId=order.venue_order_id)
            theirs = {str(row["id"]): (Decimal(row["qty"]), Decimal(row["price"]), Decimal(row["commission"]))
                      for row in rows}
            assert theirs == {report.fill.trade_id: (Decimal(report.fill.quantity), Decimal(report.fill.price),
                                                     Decimal(report.fill.fee)) for report in fills}
            assert total(fills) == 25
            assert {report.fill.fee_asset for report in fills} == {"BTC"}
            # 25 contracts of 100 USD at 5 basis points, in coin.
            value = sum((quantity * 100 / price for quantity, price, _ in theirs.values()), Decimal(0))
            assert abs(Decimal(order.fees) - value * Decimal("0.0005")) < Decimal("0.0000001")
            harmonic = 25 / sum((quantity / price for quantity, price, _ in theirs.values()), Decimal(0))
            assert abs(Decimal(order.average_price) - harmonic) < Decimal("0.00001")

            assert await desk.resting("rests", "10") == "ACCEPTED"
            await desk.cancel("rests")
            await desk.until("rests", "CANCELED")
            assert await desk.told("rests") == ["SUBMITTED", "ACCEPTED", "CANCEL_REQUESTED", "CANCELED"]
            assert await desk.taking("crosses", "10", time_in_force=GTX) == "REJECTED"
            bid, _ = desk.best()
            await desk.submit("sold", side=SELL, quantity="25", price=str(bid - 500), reduce_only=True)
            await desk.until("sold", "FILLED")

    asyncio.run(story())


def test_a_position_of_somebody_else_in_contracts_is_seen_at_the_start(
        stores: StoreUrls, tmp_path: Path, exchange: ServedExchange) -> None:
    async def story() -> None:
        async with a_binance_desk(stores, tmp_path, exchange, instrument=PERPETUAL) as desk:
            rig = desk.rig
        await asyncio.to_thread(exchange.trade, "SELL", "7", "BTCUSD_PERP", "dapi")
        rig.venue = a_venue(rig, exchange, instrument=PERPETUAL)  # type: ignore[assignment]  # any venue does
        with pytest.raises(NotRunningError, match=r"position in BINANCE_COINM:BTCUSD_PERP is -7 more"):
            async with rig.running():
                pass

    asyncio.run(story())

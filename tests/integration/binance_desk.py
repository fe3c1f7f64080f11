"""The execution service with the Binance venue at a served exchange, and what its tests ask of it."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from execution.venues.binance.venue import BinanceVenue
from sluice.config.binance import BinanceSettings
from sluice.envelope import client_order_id
from sluice.execution.v1 import execution_pb2 as messages
from sluice.instruments import Instrument, InstrumentCatalog
from sluice.risk.v1 import order_pb2
from sluice.risk.v1.approval_pb2 import Audience
from sluice.stores.embedded import StoreUrls
from tests.execution.rig import Rig, a_rig, an_order_message
from tests.execution.venues.binance.served import KEY, SECRET, ServedExchange

BTCUSDT = "BINANCE_USDM:BTCUSDT"
STATES = messages.OrderStatus
KINDS = messages.ReportKind


@dataclass
class BinanceDesk:
    """A running service; orders are named by their decisions."""

    rig: Rig
    exchange: ServedExchange
    run: str
    instrument: Instrument

    def decision(self, name: str) -> str:
        return f"{self.run}-{name}"

    async def submit(self, name: str, **fields: object) -> str:
        """Send an order with an approval of now; return its status."""
        now_ns, key = time.time_ns(), self.instrument.key
        order = an_order_message(**{"instrument": key} | fields)
        audience = Audience(execution_id="execution-1", account="main", venue=key.partition(":")[0],
                            environment="simulated")
        signed = self.rig.approver.signed(self.decision(name), order, now_ns, expires_at_ns=now_ns + 1_900_000_000,
                                          audience=audience)
        return STATES.Name((await self.rig.submit(signed)).status).removeprefix("ORDER_STATUS_")

    def best(self) -> tuple[Decimal, Decimal]:
        """Return the best bid and ask."""
        return self.exchange.best(self.instrument.symbol, "dapi" if self.instrument.inverse else "fapi")

    async def taking(self, name: str, quantity: str = "0.010", **fields: object) -> str:
        """Buy at any price nearby."""
        _, ask = self.best()
        return await self.submit(name, quantity=quantity, price=str(ask + 200), **fields)

    async def resting(self, name: str, quantity: str = "0.010", **fields: object) -> str:
        """Bid well below the market."""
        bid, _ = self.best()
        return await self.submit(name, quantity=quantity, price=str(bid - 500), **fields)

    async def cancel(self, name: str) -> None:
        await self.rig.execution.CancelOrder(
            messages.CancelOrderRequest(client_order_id=client_order_id(self.decision(name))))

    async def order(self, name: str) -> messages.OrderState:
        request = messages.GetOrderRequest(decision_id=self.decision(name))
        return (await self.rig.execution.GetOrder(request)).order

    async def status(self, name: str) -> str:
        return STATES.Name((await self.order(name)).status).removeprefix("ORDER_STATUS_")

    async def until(self, name: str, status: str, within_s: float = 20.0) -> messages.OrderState:
        """Wait until an order has a status."""
        deadline = time.monotonic() + within_s
        while (found := await self.status(name)) != status:
            assert time.monotonic() < deadline, f"{name} must become {status}, was {found}: {await self.order(name)}"
            await asyncio.sleep(0.02)
        return await self.order(name)

    async def told(self, name: str) -> list[str]:
        """Return the kinds of an order's reports."""
        identity = client_order_id(self.decision(name))
        return [KINDS.Name(report.kind).removeprefix("REPORT_KIND_") for report in await self.rig.reports()
                if report.client_order_id == identity]

    async def fills(self, name: str) -> list[messages.ExecutionReport]:
        identity = client_order_id(self.decision(name))
        return [report for report in await self.rig.reports()
                if report.client_order_id == identity and report.HasField("fill")]


def a_venue(rig: Rig, exchange: ServedExchange, *, instrument: str = BTCUSDT, **changed: object) -> BinanceVenue:
    values = {"usdm": exchange.place(), "coinm": exchange.place("dapi"), "api_key": KEY, "api_secret": SECRET,
              "recv_window_ms": 1_000, "request_timeout_ms": 1_500, "reconnect_ms": 50, **changed}
    source = rig.settings.source.model_copy(update={"instruments": (instrument,)})
    settings = rig.settings.model_copy(update={
        "binance": BinanceSettings.model_validate(values), "source": source})
    return BinanceVenue.from_settings(settings, InstrumentCatalog.shipped())


@asynccontextmanager
async def a_binance_desk(stores: StoreUrls, folder: Path, exchange: ServedExchange, *, resting_question_s: int = 60,
                         account_question_s: int = 30, instrument: str = BTCUSDT,
                         **changed: object) -> AsyncIterator[BinanceDesk]:
    """Run the service on the machine's clock, with a new journal and so on an account without positions."""
    exchange.control("DELETE", "faults")
    await asyncio.to_thread(exchange.flatten)
    rig = a_rig(stores, folder, clock="system")
    execution = rig.settings.execution.model_copy(update={
        "doubt_ms": 200, "resting_question_s": resting_question_s, "account_question_s": account_question_s})
    rig.settings = rig.settings.model_copy(update={"execution": execution})
    rig.venue = a_venue(rig, exchange, instrument=instrument, **changed)  # type: ignore[assignment]  # any venue does
    async with rig.running():
        traded = InstrumentCatalog.shipped().require(instrument)
        yield BinanceDesk(rig, exchange, rig.settings.run.namespace, traded)


def total(fills: list[messages.ExecutionReport]) -> Decimal:
    return sum((Decimal(report.fill.quantity) for report in fills), Decimal(0))


SELL = order_pb2.SIDE_SELL
GTX = order_pb2.TIME_IN_FORCE_GTX
IOC = order_pb2.TIME_IN_FORCE_IOC

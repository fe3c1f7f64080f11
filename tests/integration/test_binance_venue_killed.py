"""A process that is killed leaves nothing in the book: the dead man's switch at a served exchange."""

import signal
import subprocess
import sys
import time
from pathlib import Path

from sluice.envelope import client_order_id
from tests.execution.venues.binance.served import KEY, SECRET, ServedExchange, a_served_exchange

PROGRAM = """
import asyncio, sys, time
from decimal import Decimal
from execution.venues.binance.venue import BinanceVenue
from sluice.config.binance import BinanceSettings
from sluice.config.settings import Settings, SourceSettings
from sluice.instruments import InstrumentCatalog
from tests.execution.venues.binance.requests_made import an_order

async def main(address, price, key, secret):
    place = {"rest_url": f"http://{address}", "stream_url": f"ws://{address}"}
    binance = BinanceSettings.model_validate({
        "usdm": place, "api_key": key, "api_secret": secret, "countdown_s": 3, "heartbeat_s": 1})
    settings = Settings(binance=binance, source=SourceSettings(instruments=("BINANCE_USDM:BTCUSDT",)))
    venue = BinanceVenue.from_settings(settings, InstrumentCatalog.shipped())
    await venue.start()
    events = await venue.submit(an_order("killed", price=Decimal(price)), time.time_ns())
    print(events[0].kind.name, flush=True)
    await asyncio.sleep(60)

asyncio.run(main(*sys.argv[1:]))
"""


def status(exchange: ServedExchange) -> str:
    found = exchange.signed("GET", "/fapi/v1/order", symbol="BTCUSDT", origClientOrderId=client_order_id("killed"))
    return str(found["status"])


def test_an_order_of_a_killed_process_is_cancelled_by_the_exchange_and_not_before(tmp_path: Path) -> None:
    with a_served_exchange(tmp_path) as exchange:
        bid, _ = exchange.best()
        process = subprocess.Popen([sys.executable, "-c", PROGRAM, exchange.address, str(bid - 500), KEY, SECRET],
                                   stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        with process.stdout as output:
            assert output.readline() == "ACCEPTED\n"
            # Longer than the countdown: it lives by its beats.
            time.sleep(4.5)
            assert status(exchange) == "NEW"
            process.send_signal(signal.SIGKILL)
            process.wait()
        deadline = time.monotonic() + 20
        while status(exchange) != "CANCELED":
            assert time.monotonic() < deadline, "the exchange must cancel it, did not"
            time.sleep(0.1)

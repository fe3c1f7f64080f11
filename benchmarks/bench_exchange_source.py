"""What the exchange source costs a message, and how much later the flow has it than the socket sent it.

Run it with `python -m benchmarks.bench_exchange_source`. A server in a process of its own sends trades at a steady
rate, each with its time of sending; a Bytewax flow takes them from the source and notes the difference. Both share the
machine, so the figures are upper bounds.
"""

import asyncio
import base64
import hashlib
import multiprocessing
import time
from collections.abc import Callable

import bytewax.operators as op
import numpy as np
from bytewax.dataflow import Dataflow
from bytewax.outputs import DynamicSink, StatelessSinkPartition
from bytewax.testing import run_main

from dataflows.sources.exchange.source import ExchangeSource
from dataflows.tapes.frames import Frame
from sluice.config.market_source import ExchangeSourceSettings, UsdmAddresses
from sluice.instruments import InstrumentCatalog

RATES = (1_000, 20_000, 0)
SECONDS = 5.0
MOST_AT_FULL_SPEED = 300_000
_ACCEPT = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def frame(number: int) -> bytes:
    """Return an unmasked text message that holds the time of its making."""
    payload = (f'{{"stream":"btcusdt@aggTrade","data":{{"e":"aggTrade","E":{time.time_ns()},"a":{number:09d},'
               f'"s":"BTCUSDT","p":"60000.10","q":"0.010","f":1,"l":1,"T":1700000000000,"m":true}}}}').encode()
    return bytes((0x81, 126)) + len(payload).to_bytes(2, "big") + payload


def serve(rate: int, port: "multiprocessing.SimpleQueue[int]") -> None:
    """Send messages at a rate, 0 for as fast as they are read, to the one client that comes."""

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        lines = request.split(b"\r\n")
        key = next(line.split(b": ")[1] for line in lines if line.lower().startswith(b"sec-websocket-key"))
        accept = base64.b64encode(hashlib.sha1(key + _ACCEPT).digest())  # noqa: S324  # RFC 6455 asks for it
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                     b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n")
        await (send_steadily if rate else send_all)(writer, rate)
        await asyncio.sleep(3600)

    async def main() -> None:
        server = await asyncio.start_server(client, "127.0.0.1", 0)
        port.put(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(main())


async def send_steadily(writer: asyncio.StreamWriter, rate: int) -> None:
    """Send at a rate in bursts of a millisecond."""
    began, sent = time.perf_counter(), 0
    while sent < rate * SECONDS:
        due = min(int((time.perf_counter() - began) * rate), int(rate * SECONDS))
        for number in range(sent, due):
            writer.write(frame(number))
        sent = due
        await asyncio.sleep(0.001)


async def send_all(writer: asyncio.StreamWriter, _rate: int) -> None:
    """Send as fast as the client reads."""
    for number in range(MOST_AT_FULL_SPEED):
        writer.write(frame(number))
        if number % 100 == 0:
            await writer.drain()


class Noted(DynamicSink[Frame]):
    """Notes by how much each frame is late, at its stamp and here, and stops the source when all have come."""

    def __init__(self, expected: int, stop: Callable[[], None]) -> None:
        self.stamped, self.arrived = np.zeros(expected), np.zeros(expected)
        self.count, self.stop = 0, stop

    def build(self, *_: object) -> "StatelessSinkPartition[Frame]":
        """Return the one partition."""
        noted = self

        class Partition(StatelessSinkPartition[Frame]):
            def write_batch(self, items: list[Frame]) -> None:
                now_ns = time.time_ns()
                for item in items:
                    sent_ns = int(item.payload[56:75])
                    noted.stamped[noted.count] = item.receive_time_ns - sent_ns
                    noted.arrived[noted.count] = now_ns - sent_ns
                    noted.count += 1
                if noted.count == len(noted.stamped):
                    noted.stop()

        return Partition()


def measure(rate: int) -> None:
    """Print one line of the table."""
    port: multiprocessing.SimpleQueue[int] = multiprocessing.SimpleQueue()
    server = multiprocessing.Process(target=serve, args=(rate, port), daemon=True)
    server.start()
    expected = int(rate * SECONDS) or MOST_AT_FULL_SPEED
    url = f"127.0.0.1:{port.get()}"
    settings = ExchangeSourceSettings(
        streams=("aggTrade",), usdm=UsdmAddresses(rest_url=f"http://{url}", stream_url=f"ws://{url}"),
        queue_frames=1_000_000, queue_megabytes=1_000)
    catalog = InstrumentCatalog.shipped().select(["BINANCE_USDM:BTCUSDT"])
    source = ExchangeSource(settings, catalog, interval_ns=1_000_000_000)
    noted = Noted(expected, source.request_stop)
    flow = Dataflow("bench")
    frames = op.filter_map("frames", op.input("in", flow, source), lambda item: _frame(item[1][1]))
    op.output("out", frames, noted)
    cpu_s, began_s = time.process_time(), time.perf_counter()
    run_main(flow)
    cpu_s, wall_s = time.process_time() - cpu_s, time.perf_counter() - began_s
    server.terminate()
    server.join()
    stamped, arrived = np.percentile(noted.stamped / 1e3, [50, 99]), np.percentile(noted.arrived / 1e3, [50, 99])
    late = "" if not rate else (f"   stamped p50 {stamped[0]:>6.0f} us p99 {stamped[1]:>6.0f} us"
                                f"   in the flow p50 {arrived[0]:>6.0f} us p99 {arrived[1]:>6.0f} us")
    print(f"{rate or 'full speed':>10} messages/s   got {expected / wall_s:>9,.0f}/s   "
          f"{cpu_s / expected * 1e6:>5.1f} us CPU a message{late}")


def _frame(value: object) -> Frame | None:
    return value if isinstance(value, Frame) else None




if __name__ == "__main__":
    for each in RATES:
        measure(each)

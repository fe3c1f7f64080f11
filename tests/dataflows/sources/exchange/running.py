"""Driving an exchange's partition in a test as Bytewax does, and collecting what it emits."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from dataflows.deadletters import DeadLetter
from dataflows.sources.exchange.source import ExchangePartition, ExchangeSource, ExchangeState
from dataflows.sources.tape import Routed
from dataflows.tapes.frames import Frame
from dataflows.ticks import Tick
from sluice.config.market_source import ExchangeSourceSettings
from sluice.instruments import InstrumentCatalog

SECOND = 1_000_000_000
BTC = InstrumentCatalog.shipped().select(["BINANCE_USDM:BTCUSDT"])


class Collected:
    """Everything that came out so far."""

    def __init__(self, part: ExchangePartition) -> None:
        self.part = part
        self.items: list[Routed] = []
        self.over = False

    def step(self) -> None:
        try:
            self.items.extend(self.part.next_batch())
        except StopIteration:
            self.over = True

    def until(self, enough: Callable[["Collected"], bool], timeout_s: float = 20.0) -> "Collected":
        deadline = time.monotonic() + timeout_s
        while not enough(self) and not self.over:
            self.step()
            assert time.monotonic() < deadline, self.items[-5:]
            time.sleep(0.001)
        return self

    def to_end(self) -> "Collected":
        return self.until(lambda _: False)

    @property
    def frames(self) -> list[Frame]:
        return [value for _, (_, value) in self.items if isinstance(value, Frame)]

    @property
    def payloads(self) -> list[bytes]:
        return [frame.payload for frame in self.frames]

    @property
    def letters(self) -> list[DeadLetter]:
        return [value for _, (_, value) in self.items if isinstance(value, DeadLetter)]

    @property
    def ticks(self) -> list[Tick]:
        return [value for _, (_, value) in self.items if isinstance(value, Tick)]


def a_source(settings: ExchangeSourceSettings, catalog: InstrumentCatalog = BTC, **changes: object) -> ExchangeSource:
    return ExchangeSource(settings, catalog, **{"interval_ns": SECOND, **changes})  # type: ignore[arg-type]


@contextmanager
def collecting(source: ExchangeSource, state: ExchangeState | None = None) -> Iterator[Collected]:
    part = source.build_part("in", "exchange", state)
    try:
        yield Collected(part)
    finally:
        part.close()


def depth(first: int, last: int, previous: int, symbol: str = "BTCUSDT") -> bytes:
    return (f'{{"stream":"{symbol.lower()}@depth@100ms","data":{{"e":"depthUpdate","E":1,"T":1,"s":"{symbol}",'
            f'"U":{first},"u":{last},"pu":{previous},"b":[["60000.10","1"]],"a":[["60000.20","1"]]}}}}').encode()


def trade(number: int, symbol: str = "BTCUSDT") -> bytes:
    return (f'{{"stream":"{symbol.lower()}@aggTrade","data":{{"e":"aggTrade","E":{number},"a":{number},"s":"{symbol}",'
            f'"p":"60000.1","q":"1","f":1,"l":1,"T":1,"m":true}}}}').encode()


def snapshot(last: int) -> bytes:
    return f'{{"lastUpdateId":{last},"E":1,"T":1,"bids":[["60000.00","1"]],"asks":[["60000.30","2"]]}}'.encode()

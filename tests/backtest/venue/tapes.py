"""Small tapes of the venue tests, made from a seed: two instruments, depth with its sequence ids, and trades."""

import json
import random
from pathlib import Path
from typing import Any

from dataflows.tapes.writer import TapeWriter

START_NS = 1_700_000_000_000_000_000
STEP_NS = 10_000_000
LATENCY_NS = 5_000_000


class TapeMaker:
    """Writes the frames of one symbol as Binance would send them."""

    def __init__(self, symbol: str, first_ticks: int, tick: str, lot: str, seed: int) -> None:
        self.symbol, self.tick, self.lot = symbol, tick, lot
        self.random = random.Random(seed)
        self.mid = first_ticks
        self.last_id = 1000
        self.transaction_time = 1_700_000_001_000
        self.trade_id = 0
        self.bids: dict[int, int] = {}
        self.asks: dict[int, int] = {}

    def snapshot(self) -> dict[str, Any]:
        self.bids = {self.mid - 1 - level: self.random.randint(500, 4000) for level in range(20)}
        self.asks = {self.mid + level: self.random.randint(500, 4000) for level in range(20)}
        return {
            "lastUpdateId": self.last_id, "E": self.transaction_time, "T": self.transaction_time, "symbol": self.symbol,
            "bids": self.levels(sorted(self.bids.items(), reverse=True)),
            "asks": self.levels(sorted(self.asks.items())),
        }

    def depth(self) -> dict[str, Any]:
        """Move the touch by up to a tick and change a few levels."""
        self.mid += self.random.choice((-1, 0, 0, 1))
        changes_b = {price: 0 for price in self.bids if price >= self.mid}
        changes_a = {price: 0 for price in self.asks if price < self.mid}
        for level in range(4):
            changes_b[self.mid - 1 - level] = self.random.randint(200, 4000)
            changes_a[self.mid + level] = self.random.randint(200, 4000)
        for side, changes in ((self.bids, changes_b), (self.asks, changes_a)):
            side.update(changes)
            for price in [price for price, quantity in side.items() if not quantity]:
                del side[price]
        previous, self.last_id = self.last_id, self.last_id + self.random.randint(3, 9)
        self.transaction_time += 5
        return {
            "e": "depthUpdate", "E": self.transaction_time, "T": self.transaction_time, "s": self.symbol,
            "U": previous + 2, "u": self.last_id, "pu": previous,
            "b": self.levels(sorted(changes_b.items())), "a": self.levels(sorted(changes_a.items())),
        }

    def trade(self) -> dict[str, Any]:
        self.transaction_time += 1
        self.trade_id += 1
        sells = self.random.random() < 0.5
        price = self.mid - 1 - self.random.randint(0, 1) if sells else self.mid + self.random.randint(0, 1)
        return {
            "e": "trade", "E": self.transaction_time, "T": self.transaction_time, "s": self.symbol, "t": self.trade_id,
            "p": self.price(price), "q": self.quantity(self.random.randint(100, 3000)), "X": "MARKET", "m": sells,
        }

    def price(self, ticks: int) -> str:
        return f"{ticks * float(self.tick):.1f}"

    def quantity(self, lots: int) -> str:
        return f"{lots * float(self.lot):.3f}"

    def levels(self, items: list[tuple[int, int]]) -> list[list[str]]:
        return [[self.price(price), self.quantity(quantity)] for price, quantity in items]


def enveloped(frame: dict[str, Any]) -> bytes:
    if "e" not in frame:
        return json.dumps(frame, separators=(",", ":")).encode()
    stream = f"{frame['s'].lower()}@{frame['e']}"
    return json.dumps({"stream": stream, "data": frame}, separators=(",", ":")).encode()


def make_tape(path: Path, seed: int = 7, steps: int = 150) -> Path:
    """Write a tape of BTCUSDT (USD-M) and BTCUSD_PERP (COIN-M): one frame every 10 ms, depth and trades in turn."""
    makers = [
        TapeMaker("BTCUSDT", 600_000, "0.1", "0.001", seed), TapeMaker("BTCUSD_PERP", 600_000, "0.1", "1", seed + 1)]
    with TapeWriter(path) as tape:
        for maker in makers:
            tape.write(START_NS, enveloped(maker.snapshot()))
            tape.write(START_NS, enveloped(maker.depth()))
        for step in range(1, steps):
            maker = makers[step % 2]
            frame = maker.depth() if maker.random.random() < 0.4 else maker.trade()
            tape.write(START_NS + step * STEP_NS, enveloped(frame))
    return path

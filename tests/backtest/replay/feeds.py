"""Small random markets as rows, and strategies that the tests of the compiled backtest share."""

import random
from pathlib import Path

import numpy as np

from backtest.matching.state import QueueModel
from backtest.replay import MatchingRules, OrderLatency, ReplayAsset
from dataflows.tapes.rows import (
    BUY_EVENT,
    DEPTH_CLEAR_EVENT,
    DEPTH_EVENT,
    DEPTH_SNAPSHOT_EVENT,
    EVENT_DTYPE,
    EXCH_EVENT,
    LOCAL_EVENT,
    SELL_EVENT,
    TRADE_EVENT,
    Rows,
)

START_NS = 1_700_000_000_000_000_000
MS = 1_000_000
TICK, LOT = 0.1, 0.001
BASE_TICKS = 600_000
SIDES = {1: BUY_EVENT, -1: SELL_EVENT}


class _Market:
    """A book that changes at random; every change is a line (ms, kind, side, ticks, lots)."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.lines: list[tuple[float, int, int, int, int]] = []
        self.books = {side: {BASE_TICKS - side * (1 + at): self._lots() for at in range(12)} for side in (1, -1)}
        self.ms = 0.0
        for side in (1, -1):
            for ticks, lots in self.books[side].items():
                self._tell(DEPTH_EVENT, side, ticks, lots)

    def _lots(self) -> int:
        return self.random.randint(1, 60)

    def _tell(self, kind: int, side: int, ticks: int, lots: int) -> None:
        self.lines.append((self.ms, kind, side, ticks, lots))

    def best(self, side: int) -> int:
        """Return the best price of a side."""
        return side * max(side * ticks for ticks in self.books[side])

    def _set(self, side: int, ticks: int, lots: int) -> None:
        self.books[side].pop(ticks, None)
        if lots:
            self.books[side][ticks] = lots
        self._tell(DEPTH_EVENT, side, ticks, lots)
        while len(self.books[side]) < 5:
            self._set(side, self.best(side) - side * self.random.randint(1, 4) if self.books[side] else ticks - side,
                      self._lots())

    def step(self) -> None:
        """Let something happen: a level changes, or an order takes the best one and the other side may follow."""
        self.ms += self.random.expovariate(1 / 8)
        side = self.random.choice((1, -1))
        if self.random.random() < 0.6:
            room = side * (self.best(-side) - self.best(side)) - 1
            nearer = self.random.randint(1, room) if room > 0 and self.random.random() < 0.5 else 0
            ticks = self.best(side) + side * (nearer or -self.random.randint(0, 8))
            self._set(side, ticks, self._lots() if nearer or self.random.random() < 0.8 else 0)
            return
        best = self.best(side)
        lots = min(self.books[side][best], self.random.randint(1, 40))
        self._tell(TRADE_EVENT, -side, best, lots)
        self.ms += self.random.random()
        self._set(side, best, self.books[side][best] - lots)


def make_feed(seed: int, steps: int = 3_000, *, tick: float = TICK, lot: float = LOT) -> Rows:
    """Return a random market's rows, received 1 to 4 ms after they took place."""
    market = _Market(seed)
    for _ in range(steps):
        market.step()
    rows = np.zeros(len(market.lines), EVENT_DTYPE)
    latency_ns = np.array([market.random.randint(MS, 4 * MS) for _ in market.lines])
    for at, (ms, kind, side, ticks, lots) in enumerate(market.lines):
        rows[at]["exch_ts"] = START_NS + int(ms * MS)
        rows[at]["ev"] = kind | SIDES[side] | EXCH_EVENT | LOCAL_EVENT
        rows[at]["px"], rows[at]["qty"] = ticks * tick, lots * lot
    rows["local_ts"] = np.maximum.accumulate(rows["exch_ts"] + latency_ns)
    return rows


def rows_of(*lines: tuple[float, int, int, int, int], latency_ms: float = 1.0) -> Rows:
    """Return rows of lines (ms, kind, side, ticks, lots); a side of 0 is both."""
    rows = np.zeros(len(lines), EVENT_DTYPE)
    for at, (ms, kind, side, ticks, lots) in enumerate(lines):
        rows[at]["exch_ts"] = START_NS + int(ms * MS)
        rows[at]["local_ts"] = rows[at]["exch_ts"] + int(latency_ms * MS)
        rows[at]["ev"] = kind | SIDES.get(side, 0) | EXCH_EVENT | LOCAL_EVENT
        rows[at]["px"], rows[at]["qty"] = ticks * TICK, lots * LOT
    return rows


def quiet_book(until_ms: int, bid: int = 599_990, ask: int = 600_010) -> list[tuple[float, int, int, int, int]]:
    """Return lines of a book that stays, with a far level named once a millisecond so that time has rows."""
    first = [(0.0, DEPTH_EVENT, 1, bid, 50), (0.0, DEPTH_EVENT, -1, ask, 50)]
    return first + [(float(ms), DEPTH_EVENT, 1, bid - 100, 1 + ms % 2) for ms in range(1, until_ms)]


def asset_of(
    rows: Rows, latency: OrderLatency | None = None, queue: QueueModel = QueueModel.RISK_AVERSE, *,
    partial_fills: bool = True,
) -> ReplayAsset:
    """Return an instrument of the tests."""
    return ReplayAsset(
        "BTCUSDT", rows, TICK, LOT, latency=latency or OrderLatency.constant(5 * MS, 5 * MS),
        matching=MatchingRules(queue, 3.0, partial_fills=partial_fills))


def save(rows: Rows, path: Path) -> Path:
    """Write rows as a compiled tape or Parquet, by the suffix."""
    if path.suffix == ".npz":
        np.savez_compressed(path, data=rows)
    elif path.suffix == ".npy":
        np.save(path, rows)
    else:
        import polars as pl

        pl.DataFrame({name: np.ascontiguousarray(rows[name]) for name in rows.dtype.names or ()}).write_parquet(path)
    return path


CLEAR, SNAPSHOT = DEPTH_CLEAR_EVENT, DEPTH_SNAPSHOT_EVENT

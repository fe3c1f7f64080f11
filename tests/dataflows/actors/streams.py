"""Made-up streams for the market actors: frames of every kind, and rows of compiled tapes."""

from collections.abc import Sequence

import numpy as np
from hypothesis import strategies as st

from dataflows.actors.extended import FullMarketActor
from dataflows.actors.market import FeatureRow, FeatureTable, MarketActor
from dataflows.tapes import rows as layout
from dataflows.tapes.frames import Frame
from dataflows.tapes.rows import EVENT_DTYPE, Rows
from sluice.instruments import InstrumentCatalog
from tests.dataflows.codecs import wire

BTC = InstrumentCatalog.shipped().require("BINANCE_USDM:BTCUSDT")
SECOND = wire.SECOND
START = 1_700_000_000 * SECOND
TICK = SECOND // 2

PRICES = st.integers(990, 1010).map(lambda ticks: f"{ticks / 10:.1f}")
QUANTITIES = st.integers(0, 50).map(lambda lots: f"{lots / 10:.1f}")
PAIRS = st.lists(st.tuples(PRICES, QUANTITIES), max_size=5)
WAITS = st.sampled_from([0, 1, SECOND // 7, SECOND, 3 * SECOND, 3 * SECOND, 70 * SECOND, 400 * SECOND])


def open_interest(quantity: str) -> bytes:
    return wire.dumps({"symbol": "BTCUSDT", "openInterest": quantity, "time": START // 1_000_000})


@st.composite
def frame_streams(draw: st.DrawFn, most: int = 60) -> list[Frame]:
    """Make frames of every kind, most of them good, over some seconds or minutes."""
    frames, time, last = [], START, 10
    for number in range(1, draw(st.integers(5, most))):
        time += draw(WAITS)
        kind = draw(st.sampled_from("dddddttttbbsgmxlo"))
        previous, last = last, last + (kind in "dg")
        below = [(f"{float(price) - 2:.1f}", quantity) for price, quantity in draw(PAIRS)]
        above = [(f"{float(price) + 2:.1f}", quantity) for price, quantity in draw(PAIRS)]
        payload = {
            "d": wire.depth(last, last, previous, below, above),
            "g": wire.depth(last, last, previous - 1, below, above),
            "s": wire.snapshot(last, below, above),
            "t": wire.trade(draw(PRICES), draw(QUANTITIES), sold=draw(st.booleans())),
            "b": wire.ticker(last + draw(st.integers(-1, 2)), "99.0", draw(PRICES)),
            "m": wire.mark_price("100.0"),
            "x": draw(st.binary(max_size=5)),
            "l": wire.force_order("100.0"),
            "o": open_interest(draw(QUANTITIES)),
        }[kind]
        frames.append(Frame(number, time, payload))
    return frames


KINDS = {
    "level": layout.DEPTH_EVENT, "snapshot": layout.DEPTH_SNAPSHOT_EVENT, "clear": layout.DEPTH_CLEAR_EVENT,
    "trade": layout.TRADE_EVENT, "best": layout.DEPTH_BBO_EVENT, "other": 9,
}


def row(kind: str, side: int, time_ns: int, price: float, quantity: float, *, lag_ns: int = 5) -> tuple[float, ...]:
    """Return a row received at a time: side 1 bid or bought, -1 ask or sold, 0 both."""
    flags = KINDS[kind] | layout.EXCH_EVENT | layout.LOCAL_EVENT
    flags |= {1: layout.BUY_EVENT, -1: layout.SELL_EVENT, 0: 0}[side]
    return (flags, time_ns - lag_ns, time_ns, price, quantity, 0, 0, 0.0)


def rows_of(*given: tuple[float, ...]) -> Rows:
    return np.array(list(given), EVENT_DTYPE)


@st.composite
def row_streams(draw: st.DrawFn, most: int = 50) -> Rows:
    """Make groups of rows, most of them good, that begin with a snapshot of both sides."""
    bids = [row("snapshot", 1, START, 99.0 - tick / 10, 1.0) for tick in range(30)]
    asks = [row("snapshot", -1, START, 100.0 + tick / 10, 1.0) for tick in range(30)]
    made, time = bids + asks, START
    for _ in range(draw(st.integers(5, most))):
        time += draw(WAITS)
        side, lag = draw(st.sampled_from([1, -1])), draw(st.sampled_from([5, 5, 5, 900]))
        kind = draw(st.sampled_from(["level"] * 6 + ["trade"] * 4 + ["best", "best", "snapshot", "clear", "other"]))
        for _ in range(draw(st.integers(1, 4)) if kind == "level" else 1):
            price = (995 + side * draw(st.integers(-6, 25)) * -1) / 10
            quantity = draw(st.integers(0, 9)) / 10
            odd = draw(st.integers(0, 40)) == 0
            made.append(row(kind, side, time, price + 0.03 * odd, quantity, lag_ns=lag))
    return rows_of(*made)


def actor_of(kind: str, snapshot: bytes | None = None) -> MarketActor:
    """Return a light or a full actor."""
    bars_ns = (SECOND, 5 * SECOND, 60 * SECOND)
    return MarketActor(BTC, snapshot) if kind == "light" else FullMarketActor(BTC, snapshot, bars_ns=bars_ns)


def play(actor: MarketActor, frames: Sequence[Frame], next_tick: int) -> tuple[list[FeatureRow], int]:
    """Feed frames and make the ticks that fall before each, as a source does; a long silence has one tick."""
    rows: list[FeatureRow] = []
    for frame in frames:
        while next_tick <= frame.receive_time_ns:
            rows.append(actor.on_tick(next_tick))
            quiet = frame.receive_time_ns - next_tick > 20 * SECOND
            next_tick = (frame.receive_time_ns // TICK + 1) * TICK if quiet else next_tick + TICK
        actor.on_frame(frame)
    return rows, next_tick


def same(first: FeatureTable, second: FeatureTable) -> bool:
    """Tell whether two tables have the same bytes."""
    pairs = ((first.times_ns, second.times_ns), (first.values, second.values), (first.tops, second.tops))
    return all(one.tobytes() == other.tobytes() for one, other in pairs)

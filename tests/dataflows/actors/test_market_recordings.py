"""The market actor on recordings of Binance: nothing is lost, and features are what plain NumPy says of the tape."""

import gzip
import io
import json
from collections import Counter
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
import zstandard

from dataflows.actors.market import FeatureRow, MarketActor
from dataflows.codecs.binance import Rejection, decode, symbol_of
from dataflows.indicators.schema import MARKET_SCHEMA
from dataflows.tapes.frames import Frame
from sluice.instruments import Instrument, InstrumentCatalog

pytestmark = pytest.mark.needs("data")

CATALOG = InstrumentCatalog.shipped()
SECOND = 1_000_000_000


def tape(path: Path) -> list[Frame]:
    frames = []
    with gzip.open(path, "rb") as lines:
        for number, line in enumerate(lines, start=1):
            time, payload = line.rstrip().split(b" ", 1)
            frames.append(Frame(number, int(time), payload))
    return frames


def rows_of(actor: MarketActor, frames: list[Frame], cut: int = -1) -> list[FeatureRow]:
    """Return a row a second; the actor is written down and restored at the frame number `cut`."""
    rows: list[FeatureRow] = []
    tick = (frames[0].receive_time_ns // SECOND + 1) * SECOND
    for frame in frames:
        while tick <= frame.receive_time_ns:
            rows.append(actor.on_tick(tick))
            tick += SECOND
        if frame.sequence == cut:
            actor = MarketActor(CATALOG.require(rows[0].instrument), actor.snapshot())
        assert actor.on_frame(frame) is None
    return rows


def column(rows: list[FeatureRow], feature: str) -> "np.ndarray[Any, np.dtype[np.float64]]":
    return np.array([row.values[MARKET_SCHEMA.index(feature)] for row in rows])


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("usdm_btcusdt_20240808", "BINANCE_USDM:BTCUSDT"),
        ("usdm_ethusdt_20240808", "BINANCE_USDM:ETHUSDT"),
        ("cm_btcusd_perp_20240808", "BINANCE_COINM:BTCUSD_PERP"),
    ],
)
def test_every_line_is_an_event_and_every_feature_is_valid_once_warm(data_folder: Path, name: str, key: str) -> None:
    frames = tape(data_folder / "ticks" / f"{name}.gz")
    rows = rows_of(MarketActor(CATALOG.require(key)), frames)
    warm = next(number for number, row in enumerate(rows) if all(row.valid))
    assert warm <= 65
    assert all(all(row.valid) and row.top.synced for row in rows[warm:])
    assert rows[-1].dead_letters == 0
    assert rows[-1].events == sum(frame.receive_time_ns < rows[-1].event_time_ns for frame in frames)
    restored = rows_of(MarketActor(CATALOG.require(key)), frames, cut=len(frames) // 2)
    assert repr(restored) == repr(rows)


def test_flow_and_returns_are_what_numpy_says_of_the_tape(data_folder: Path) -> None:
    frames = tape(data_folder / "ticks" / "usdm_btcusdt_20240808.gz")
    rows = rows_of(MarketActor(CATALOG.require("BINANCE_USDM:BTCUSDT")), frames)
    trades = [
        (frame.receive_time_ns, float(event["q"]) * (-1 if event["m"] else 1))
        for frame in frames
        if b'"trade"' in frame.payload
        for event in [json.loads(frame.payload)["data"]]
    ]
    seconds = np.array([time for time, _ in trades]) // SECOND
    signed = np.array([quantity for _, quantity in trades])
    ends = np.array([row.event_time_ns for row in rows]) // SECOND
    for window in (1, 10, 60):
        inside = [signed[(seconds >= end - window) & (seconds < end)] for end in ends]
        delta, volume = np.array([part.sum() for part in inside]), np.array([np.abs(part).sum() for part in inside])
        np.testing.assert_allclose(column(rows, f"cvd_{window}s")[61:], delta[61:], rtol=1e-9, atol=1e-9)
        share = np.divide(delta, volume, out=np.zeros_like(delta), where=volume > 0)
        np.testing.assert_allclose(column(rows, f"flow_imbalance_{window}s")[61:], share[61:], rtol=1e-9, atol=1e-9)
    mids = np.log([(row.top.best_bid + row.top.best_ask) / 2 for row in rows])
    for window in (1, 5, 30, 60):
        returns = 1e4 * (mids[62:] - mids[62 - window : -window])
        np.testing.assert_allclose(column(rows, f"return_{window}s_bps")[62:], returns, rtol=1e-9, atol=1e-9)


EXPECTED = {
    "BINANCE_FUTURES": {"depthUpdate": 764, "bookTicker": 613, "aggTrade": 91, "kline": 67},
    "BINANCE_DELIVERY": {"depthUpdate": 2047, "bookTicker": 2240, "aggTrade": 51, "kline": 33},
}


def any_tick(symbol: str) -> Instrument:
    """Return an instrument with a tick so small that every price of the recording is a multiple of it."""
    linear = CATALOG.require("BINANCE_USDM:BTCUSDT")
    return replace(linear, symbol=symbol, tick_size=Decimal("0.00001"))


def captured(path: Path) -> list[tuple[str, Frame]]:
    frames = []
    with path.open("rb") as file:
        lines = io.TextIOWrapper(zstandard.ZstdDecompressor().stream_reader(file))
        for number, line in enumerate(lines, start=1):
            record = json.loads(line)
            if record["t"] == "recv":
                symbol = ""
            elif record["t"] == "http" and "/depth?" in record["url"]:
                symbol = parse_qs(urlsplit(record["url"]).query)["symbol"][0]
            else:
                continue
            frames.append((symbol, Frame(number, int(record["ts"] * 1e9), record["data"].encode(), symbol)))
    return frames


@pytest.mark.parametrize("exchange", EXPECTED)
def test_every_frame_of_a_captured_session_is_read_and_every_book_is_synced(data_folder: Path, exchange: str) -> None:
    frames = captured(data_folder / "captures" / "cryptofeed" / f"{exchange}.jsonl.zst")
    frames.sort(key=lambda item: item[1].receive_time_ns)
    actors: dict[str, MarketActor] = {}
    kinds: Counter[str] = Counter()
    hinted: set[str] = set()
    for hint, frame in frames:
        symbol = symbol_of(frame.payload, frame.symbol_hint)
        assert symbol is not None
        assert not isinstance(decode(frame.payload), Rejection)
        if hint:
            hinted.add(symbol)
        else:
            kinds[json.loads(frame.payload)["data"]["e"]] += 1
        assert actors.setdefault(symbol, MarketActor(any_tick(symbol))).on_frame(frame) is None
    assert kinds == EXPECTED[exchange]
    end = frames[-1][1].receive_time_ns
    states = {symbol: actors[symbol].on_tick(end).top.synced for symbol in hinted}
    assert all(states.values()), states

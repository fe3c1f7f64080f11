"""The quick reader against the general decoder on every recorded frame."""

import gzip
import io
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import zstandard

from dataflows.codecs import quick_frame as quick
from dataflows.codecs.binance import symbol_of
from tests.dataflows.codecs.opinions import Opinions

pytestmark = pytest.mark.needs("data")


@pytest.mark.parametrize(
    ("name", "symbol", "tick_size", "declined"),
    [
        ("usdm_btcusdt_20240808", "BTCUSDT", "0.1", 1),
        ("usdm_ethusdt_20240808", "ETHUSDT", "0.01", 1),
        ("cm_btcusd_perp_20240808", "BTCUSD_PERP", "0.1", 1),
        ("cm_btcusd_perp_20240809", "BTCUSD_PERP", "0.1", 0),
    ],
)
def test_every_frame_of_the_tapes_but_the_snapshot_is_read_quickly_and_as_the_decoder_reads_it(
    data_folder: Path, name: str, symbol: str, tick_size: str, declined: int,
) -> None:
    opinions = Opinions(symbol, tick_size)
    lines = gzip.decompress((data_folder / "ticks" / f"{name}.gz").read_bytes()).splitlines()
    payloads = [line.split(b" ", 1)[1] for line in lines]
    read = opinions.quick(payloads)
    assert read.count(None) == declined
    for payload, opinion in zip(payloads, read, strict=True):
        assert opinion is None or opinion == opinions.general(payload), payload


def captured(data_folder: Path) -> Iterator[bytes]:
    """Yield every message of the captures that is a JSON document of Binance."""
    for path in sorted((data_folder / "captures" / "cryptofeed").glob("BINANCE_*.jsonl.zst")):
        with path.open("rb") as file, zstandard.ZstdDecompressor().stream_reader(file) as stream:
            yield from map(message_of, io.TextIOWrapper(stream))
    messages = data_folder / "captures" / "messages"
    yield from map(message_of, (messages / "binance.jsonl").read_text().splitlines())
    yield from (messages / "binance_usdm_live_frames_2026-10.jsonl").read_bytes().splitlines()


def message_of(line: str) -> bytes:
    document = json.loads(line)
    return next((value for value in document.values() if isinstance(value, str) and value.startswith("{")), "").encode()


def test_captured_frames_of_many_symbols_are_read_as_the_decoder_reads_them(data_folder: Path) -> None:
    symbols: dict[str, list[bytes]] = {}
    for payload in captured(data_folder):
        symbols.setdefault(symbol_of(payload) or "BTCUSDT", []).append(payload)
    read = Counter[object]()
    for symbol, payloads in symbols.items():
        opinions = Opinions(symbol, "0.00001")
        for payload, opinion in zip(payloads, opinions.quick(payloads), strict=True):
            assert opinion == opinions.general(payload), payload
            read[opinion and opinion[0]] += 1
    del read[None]
    assert read == {quick.DEPTH_UPDATE: 2815, quick.BOOK_TICKER: 2857, quick.AGGREGATE_TRADE: 148, quick.MARK_PRICE: 2}

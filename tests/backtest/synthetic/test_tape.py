"""A synthetic tape follows the venue's rules, to the last digit and sequence number."""

import gzip
import hashlib
import json
import re
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest

from backtest.synthetic import DEFAULT_START_NS, GENERATION, make_tape
from dataflows.tapes.frames import Frame
from dataflows.tapes.reader import TapeReader, symbols
from sluice.errors import InputError, NotFoundError
from sluice.instruments import InstrumentCatalog
from tests.backtest.synthetic.conftest import SYMBOLS
from tests.backtest.synthetic.observed import Observed, observe, rebuilt_quotes

KINDS = {"bookTicker", "depthUpdate", "trade", "aggTrade", "markPriceUpdate", "kline"}
each_symbol = pytest.mark.parametrize("symbol", SYMBOLS)


def test_the_same_seed_makes_the_same_bytes_whatever_else_is_made(folder: Path, tmp_path: Path) -> None:
    again = make_tape(tmp_path, seed=11, minutes=2.0, symbols=("SOLUSDT", "BTCUSDT"))
    assert [file.name for file in again] == ["solusdt_20260105.gz", "btcusdt_20260105.gz"]
    for file in again:
        assert file.read_bytes() == (folder / file.name).read_bytes()


def test_frames_that_change_raise_the_generation(tmp_path: Path) -> None:
    files = make_tape(tmp_path, seed=7, minutes=0.2, symbols=("BTCUSDT", "SOLUSDT"))
    frames = hashlib.sha256(b"".join(gzip.decompress(path.read_bytes()) for path in files)).hexdigest()
    assert (GENERATION, frames) == (3, "8e51bea28db97a528b8544a81b071fa574d903db800edbacae7fb4b08e4737a5")


def test_another_seed_makes_another_tape(folder: Path, tmp_path: Path) -> None:
    (file,) = make_tape(tmp_path, seed=12, minutes=2.0, symbols=("BTCUSDT",))
    assert file.read_bytes() != (folder / file.name).read_bytes()


def test_a_longer_tape_begins_as_the_shorter_one(observed: dict[str, Observed], tmp_path: Path) -> None:
    (file,) = make_tape(tmp_path, seed=11, minutes=0.5, symbols=("ETHUSDT",))
    shorter = [item for item in TapeReader([file]) if isinstance(item, Frame)]
    longer = observed["ETHUSDT"].lines
    settled = [frame for frame in shorter if frame.receive_time_ns < DEFAULT_START_NS + 29_000_000_000]
    assert len(settled) > 1000
    assert [b"%d %b" % (f.receive_time_ns, f.payload) for f in settled] == longer[: len(settled)]


def test_the_reader_takes_every_line_and_knows_the_symbols(folder: Path, observed: dict[str, Observed]) -> None:
    items = list(TapeReader([folder]))
    assert all(isinstance(item, Frame) for item in items)
    assert len(items) == sum(len(seen.lines) for seen in observed.values())
    assert symbols([folder]) == set(SYMBOLS)


@each_symbol
def test_the_rates_are_those_of_a_liquid_contract(observed: dict[str, Observed], symbol: str) -> None:
    rates = {kind: len(events) / 120 for kind, events in observed[symbol].events.items()}
    assert set(rates) == KINDS
    assert 9 <= rates["depthUpdate"] <= 11
    assert 15 <= rates["bookTicker"] <= 50
    assert 3 <= rates["trade"] <= 20
    assert rates["aggTrade"] <= rates["trade"]
    assert rates["markPriceUpdate"] == 1


@each_symbol
def test_updates_chain_by_pu_and_leave_holes_between_u_and_the_next_first_id(
    observed: dict[str, Observed], symbol: str
) -> None:
    diffs = observed[symbol].of("depthUpdate")
    assert all(later["pu"] == earlier["u"] for earlier, later in pairwise(diffs))
    assert all(diff["pu"] + 1 < diff["U"] <= diff["u"] for diff in diffs)


@each_symbol
def test_the_rebuilt_book_is_the_book_ticker_at_every_diff(observed: dict[str, Observed], symbol: str) -> None:
    seen = observed[symbol]
    tickers = sorted(seen.of("bookTicker"), key=lambda ticker: ticker["u"])
    quotes = rebuilt_quotes(seen)
    assert len(quotes) > 1_000
    at = 0
    for update_id, quote in quotes:
        while at + 1 < len(tickers) and tickers[at + 1]["u"] <= update_id:
            at += 1
        assert quote == tuple(Decimal(tickers[at][name]) for name in "bBaA")


@each_symbol
def test_prices_are_positive_and_books_never_cross(observed: dict[str, Observed], symbol: str) -> None:
    for _, (bid, bid_quantity, ask, ask_quantity) in rebuilt_quotes(observed[symbol]):
        assert 0 < bid < ask
        assert bid_quantity > 0
        assert ask_quantity > 0


@each_symbol
def test_the_snapshot_comes_after_some_diffs_with_a_deep_book(observed: dict[str, Observed], symbol: str) -> None:
    seen = observed[symbol]
    before = [diff for diff in seen.of("depthUpdate") if diff["receive_ns"] < seen.snapshot["receive_ns"]]
    assert len(before) >= 3
    assert before[0]["u"] < seen.snapshot["lastUpdateId"]
    for name, sign in (("bids", -1), ("asks", 1)):
        prices = [sign * Decimal(price) for price, _ in seen.snapshot[name]]
        assert 500 < len(prices) < 1_000
        assert prices == sorted(set(prices))


@each_symbol
def test_numbers_are_written_with_the_decimals_of_the_filters(observed: dict[str, Observed], symbol: str) -> None:
    instrument = InstrumentCatalog.shipped().by_symbol(symbol)
    assert instrument is not None
    for trade in observed[symbol].of("aggTrade"):
        price, quantity = Decimal(trade["p"]), Decimal(trade["q"])
        assert price.as_tuple().exponent == instrument.tick_size.as_tuple().exponent
        assert price % instrument.tick_size == 0
        assert quantity.as_tuple().exponent == instrument.lot_size.as_tuple().exponent
        assert quantity >= instrument.min_quantity
        assert trade["nq"] == trade["q"]
    assert all(re.fullmatch(r"\d+\.\d{8}", mark["p"]) for mark in observed[symbol].of("markPriceUpdate"))


@each_symbol
def test_an_aggregate_trade_is_the_sum_of_its_trades(observed: dict[str, Observed], symbol: str) -> None:
    seen = observed[symbol]
    trades = {trade["t"]: trade for trade in seen.of("trade")}
    ids = list(trades)
    assert ids == list(range(ids[0], ids[0] + len(ids)))
    aggregates = seen.of("aggTrade")
    assert all(later["a"] == earlier["a"] + 1 for earlier, later in pairwise(aggregates))
    assert sum(aggregate["l"] - aggregate["f"] + 1 for aggregate in aggregates) == len(trades)
    for aggregate in aggregates:
        parts = [trades[i] for i in range(aggregate["f"], aggregate["l"] + 1)]
        assert sum(Decimal(part["q"]) for part in parts) == Decimal(aggregate["q"])
        assert {(part["p"], part["m"], part["T"]) for part in parts} == {
            (aggregate["p"], aggregate["m"], aggregate["T"])
        }


@each_symbol
def test_a_closed_kline_is_the_bar_of_its_trades(observed: dict[str, Observed], symbol: str) -> None:
    seen = observed[symbol]
    (bar,) = [k["k"] for k in seen.of("kline") if k["k"]["x"] and k["k"]["t"] == DEFAULT_START_NS // 10**6]
    trades = [trade for trade in seen.of("trade") if bar["t"] <= trade["T"] <= bar["T"]]
    prices = [Decimal(trade["p"]) for trade in trades]
    values = [Decimal(trade["p"]) * Decimal(trade["q"]) for trade in trades]
    assert [Decimal(bar[name]) for name in "ohlc"] == [prices[0], max(prices), min(prices), prices[-1]]
    assert Decimal(bar["v"]) == sum(Decimal(trade["q"]) for trade in trades)
    assert Decimal(bar["q"]) == sum(values)
    assert Decimal(bar["Q"]) == sum(v for v, trade in zip(values, trades, strict=True) if not trade["m"])
    assert (bar["n"], bar["f"], bar["L"]) == (len(trades), trades[0]["t"], trades[-1]["t"])


@each_symbol
def test_frames_are_received_milliseconds_after_they_happened_and_in_order(
    observed: dict[str, Observed], symbol: str
) -> None:
    seen = observed[symbol]
    received = [int(line.split(b" ")[0]) for line in seen.lines]
    assert received == sorted(received)
    for kind in KINDS - {"kline", "markPriceUpdate"}:
        events = seen.of(kind)
        assert all(earlier["receive_ns"] < later["receive_ns"] for earlier, later in pairwise(events))
        assert all(earlier["T"] <= later["T"] for earlier, later in pairwise(events))
        latencies = sorted(event["receive_ns"] / 1e6 - event["E"] for event in events)
        assert latencies[0] > 0
        assert 1.0 < latencies[len(latencies) // 2] < 6.0


def test_fields_come_in_the_order_of_the_venue(observed: dict[str, Observed]) -> None:
    first: dict[str, list[str]] = {}
    for line in observed["BTCUSDT"].lines:
        message = json.loads(line.partition(b" ")[2])
        if "data" in message:
            first.setdefault(message["data"]["e"], list(message["data"]))
    assert first["depthUpdate"] == ["e", "E", "T", "s", "ps", "U", "u", "pu", "b", "a", "st"]
    assert first["aggTrade"] == ["e", "E", "a", "s", "p", "q", "nq", "f", "l", "T", "m", "st"]
    assert first["trade"] == ["e", "E", "T", "s", "t", "p", "q", "X", "m"]
    assert first["bookTicker"] == ["e", "u", "E", "T", "s", "ps", "b", "B", "a", "A", "st"]
    assert first["markPriceUpdate"] == ["e", "E", "s", "p", "ap", "i", "P", "r", "T", "st"]


def test_an_inverse_contract_is_told_in_contracts_and_as_one_of_its_family(tmp_path: Path) -> None:
    seen = observe(make_tape(tmp_path, symbols=("BTCUSD_PERP",), minutes=0.5)[0])
    assert set(seen.events) == KINDS - {"kline"}
    assert {(one["s"], one["ps"], one["st"]) for one in seen.of("depthUpdate")} == {("BTCUSD_PERP", "BTCUSD", 2)}
    assert (seen.snapshot["symbol"], seen.snapshot["pair"]) == ("BTCUSD_PERP", "BTCUSD")
    sizes = [Decimal(one["q"]) for one in seen.of("trade")]
    assert all(size == size.to_integral_value() for size in sizes)
    # Market orders of some thousand dollars are some tens of contracts of 100.
    assert 1 <= sum(sizes) / len(sizes) < 200


def test_what_makes_no_tape_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="DOGEUSD"):
        make_tape(tmp_path, symbols=("DOGEUSD",))
    with pytest.raises(InputError, match="minutes"):
        make_tape(tmp_path, minutes=0)
    with pytest.raises(InputError, match="each once"):
        make_tape(tmp_path, symbols=("BTCUSDT", "BTCUSDT"))


def test_progress_goes_up_to_one(tmp_path: Path) -> None:
    parts: list[float] = []
    make_tape(tmp_path, minutes=0.1, symbols=("XRPUSDT",), progress=parts.append)
    assert parts == sorted(parts)
    assert parts[-1] == 1.0

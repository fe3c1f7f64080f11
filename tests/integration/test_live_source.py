"""The exchange source and a real `sluice serve exchange`: in lock-step a tape stays a tape; live, books stay right."""

import json
import time
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from itertools import islice
from pathlib import Path

import pytest

from backtest.synthetic.command import make
from dataflows.book.order_book import OrderBook
from dataflows.book.state import BookSide
from dataflows.codecs.binance import decode
from dataflows.codecs.binance_events import BookTicker, DepthSnapshot, DepthUpdate, OpenInterest
from dataflows.deadletters import DeadLetter, DeadLetterReason
from dataflows.sources.exchange.feeds import new_handoff, new_thread
from dataflows.sources.exchange.recording import Recorder, record
from dataflows.sources.exchange.source import ExchangeState
from dataflows.sources.tape import Routed, TapeSource
from dataflows.tapes.frames import Frame
from dataflows.tapes.reader import TapeReader
from dataflows.tapes.summary import summarise
from dataflows.tapes.writer import TapeWriter
from dataflows.ticks import Tick
from sluice.clock import SystemClock
from sluice.instruments import InstrumentCatalog
from tests.dataflows.sources.exchange.running import SECOND, Collected, a_source, collecting, snapshot
from tests.integration.served_exchange import ServedExchange, served_exchange

ALL = ("depth@100ms", "bookTicker", "trade", "aggTrade", "markPrice@1s", "kline_1m")


@pytest.fixture(scope="module")
def synthetic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("synthetic")
    make.main(["-o", str(folder), "--minutes", "1", "--symbols", "BTCUSDT,ETHUSDT"], standalone_mode=False)
    return folder


def catalog(*keys: str) -> InstrumentCatalog:
    return InstrumentCatalog.shipped().select(keys)


def from_the_file(tapes: list[Path], instruments: InstrumentCatalog) -> list[Routed]:
    part = TapeSource(tapes, instruments, interval_ns=SECOND).build_part("in", "tape", None)
    items: list[Routed] = []
    try:
        while True:
            items.extend(part.next_batch())
    except StopIteration:
        return items


def plain(items: list[Routed]) -> list[tuple[object, ...]]:
    """What must be equal: the name of the stream in the envelope is what was asked for and not what was recorded."""
    return [(key, value.sequence, value.receive_time_ns, data_of(value.payload)) if isinstance(value, Frame)
            else (key, value) for key, (_, value) in items]


def data_of(payload: bytes) -> bytes:
    return payload[payload.find(b',"data":') + 8 : -1] if payload.startswith(b'{"stream"') else payload


def test_a_synthetic_tape_in_lockstep_is_the_tape_and_goes_on_after_any_stop(synthetic: Path, tmp_path: Path) -> None:
    instruments = catalog("BINANCE_USDM:BTCUSDT", "BINANCE_USDM:ETHUSDT")
    state: ExchangeState | None = None
    items: list[Routed] = []
    with served_exchange([synthetic], "--pace", "lockstep", folder=tmp_path) as exchange:
        settings = exchange.settings(clock="lockstep", streams=ALL)
        for frames in (1, 777, 3_000):
            with collecting(a_source(settings, instruments, batch_lines=100), state) as found:
                found.until(lambda found, frames=frames: len(found.frames) >= frames)  # type: ignore[misc]
                items += found.items
                state = found.part.snapshot()
        with collecting(a_source(settings, instruments), state) as found:
            exchange.fault(kind="disconnect", sockets="public")
            items += found.to_end().items
    expected = from_the_file([synthetic], instruments)
    assert plain(items) == plain(expected)
    assert sum(isinstance(value, Tick) for _, (_, value) in items) > 100


OPEN_INTERESTS = {"BTCUSDT": "10659.509", "ETHUSDT": "250000.125"}


@pytest.fixture(scope="module")
def with_open_interest(synthetic: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The synthetic market, and beside it what a recorder asked for: open interest every 10 s, and once more a book."""
    [start_ns] = [item.receive_time_ns for item in islice(TapeReader([synthetic]), 1) if isinstance(item, Frame)]
    folder = tmp_path_factory.mktemp("polled")
    for symbol, amount in OPEN_INTERESTS.items():
        with TapeWriter(folder / f"{symbol}.gz") as writer:
            for second in range(0, 60, 10):
                writer.write(start_ns + second * SECOND, open_interest(symbol, amount))
            writer.write(start_ns + 55 * SECOND, snapshot(1))
    return [synthetic, folder]


def open_interest(symbol: str, amount: str) -> bytes:
    return f'{{"openInterest":"{amount}","symbol":"{symbol}","time":1589437530011}}'.encode()


def test_every_answer_that_a_tape_holds_stands_in_lockstep_where_it_was_recorded(
    with_open_interest: list[Path], tmp_path: Path
) -> None:
    instruments = catalog("BINANCE_USDM:BTCUSDT", "BINANCE_USDM:ETHUSDT")
    state: ExchangeState | None = None
    items: list[Routed] = []
    with served_exchange(with_open_interest, "--pace", "lockstep", folder=tmp_path) as exchange:
        settings = exchange.settings(clock="lockstep", streams=ALL)
        with collecting(a_source(settings, instruments, batch_lines=100)) as found:
            found.until(lambda found: sum(b"openInterest" in payload for payload in found.payloads) == 3)
            items, state = found.items, found.part.snapshot()
        with collecting(a_source(settings, instruments), state) as found:
            items = items + found.to_end().items
        never = settings.model_copy(update={"open_interest_interval_s": 0})
        with collecting(a_source(never, instruments)) as found:
            without = found.to_end().payloads
    assert plain(items) == plain(from_the_file(with_open_interest, instruments))
    assert not any(b"openInterest" in payload for payload in without)


def test_by_the_clock_the_latest_of_the_tape_is_polled_and_a_recording_holds_it(
    with_open_interest: list[Path], tmp_path: Path
) -> None:
    keys = ("BINANCE_USDM:BTCUSDT", "BINANCE_USDM:ETHUSDT", "BINANCE_COINM:BTCUSD_PERP")
    with served_exchange(with_open_interest, "--pace", "10x", "--at-end", "loop", folder=tmp_path) as exchange:
        handoff = new_handoff(exchange.settings(open_interest_interval_s=1), SystemClock())
        thread = new_thread(exchange.settings(open_interest_interval_s=1), catalog(*keys), handoff)
        thread.start()
        ends = time.monotonic() + 3.0
        with Recorder(tmp_path / "recorded", catalog(*keys)) as recorder:
            record(handoff, recorder, lambda _: time.monotonic() > ends, lambda: time.sleep(0.01))
        thread.stop()
    tapes = list(recorder.recording().files)
    items = from_the_file(tapes, catalog(*keys))
    assert not [value for _, (_, value) in items if isinstance(value, DeadLetter)]
    found = [event for _, (_, value) in items if isinstance(value, Frame)
             and isinstance(event := decode(value.payload), OpenInterest)]
    amounts = {event.symbol: event.open_interest for event in found}
    assert amounts == {"BTCUSDT": 10659.509, "ETHUSDT": 250000.125, "BTCUSD_PERP": 0.0}
    assert min(Counter(event.symbol for event in found).values()) >= 2
    assert summarise(tapes, lambda _: None).streams["(open interest)"] == len(found)


@pytest.mark.needs("data")
def test_recorded_linear_and_inverse_markets_in_lockstep_are_their_tapes(data_folder: Path, tmp_path: Path) -> None:
    names = ("usdm_ethusdt_20240808.gz", "cm_btcusd_perp_20240809.gz")
    tapes = [data_folder / "ticks" / name for name in names]
    instruments = catalog("BINANCE_USDM:ETHUSDT", "BINANCE_COINM:BTCUSD_PERP")
    with served_exchange(tapes, "--pace", "lockstep", folder=tmp_path) as exchange:
        settings = exchange.settings(clock="lockstep", streams=("depth@100ms", "bookTicker", "trade"))
        with collecting(a_source(settings, instruments, batch_lines=5_000)) as found:
            found.until(lambda _: False, timeout_s=120)
    assert plain(found.items) == plain(from_the_file(tapes, instruments))


class CheckedBook:
    """A book out of the source's frames, compared with the venue's own best prices wherever it is synced."""

    def __init__(self) -> None:
        self.book = OrderBook(Decimal("0.1"))
        self.compared = self.different = 0
        self._tickers: list[BookTicker] = []

    def take(self, payload: bytes) -> None:
        event = decode(payload)
        if isinstance(event, BookTicker):
            self._tickers.append(event)
        elif isinstance(event, DepthSnapshot):
            self.book.apply_snapshot(event.last_update_id, event.bids, event.asks)
        elif isinstance(event, DepthUpdate):
            self.book.apply_update(
                event.first_update_id, event.last_update_id, event.previous_update_id, event.bids, event.asks)
            if self.book.synced:
                self._compare(event.last_update_id)

    def _compare(self, until: int) -> None:
        fitting = [ticker for ticker in self._tickers if ticker.update_id <= until]
        if not fitting:
            return
        last = fitting[-1]
        self._tickers = [last, *(ticker for ticker in self._tickers if ticker.update_id > until)]
        self.compared += 1
        own = (float(self.book.best_bid() or 0), self.book.best_quantity(BookSide.BID),
               float(self.book.best_ask() or 0), self.book.best_quantity(BookSide.ASK))
        self.different += own != (last.best_bid, last.best_bid_quantity, last.best_ask, last.best_ask_quantity)


@pytest.fixture(scope="module")
def running(data_folder_of_module: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedExchange]:
    tape = data_folder_of_module / "ticks" / "usdm_btcusdt_20240808.gz"
    options = ("--pace", "10x", "--start-after", "30", "--at-end", "loop")
    with served_exchange([tape], *options, folder=tmp_path_factory.mktemp("running")) as exchange:
        yield exchange


@pytest.fixture(scope="module")
def data_folder_of_module() -> Path:
    from tests.conftest import recorded_data

    return recorded_data()


def watched(found: Collected, book: CheckedBook, seconds: float) -> None:
    """Let the source run and feed the book with what comes."""
    ends, taken = time.monotonic() + seconds, len(found.frames)
    while time.monotonic() < ends:
        found.step()
        frames = found.frames
        for frame in frames[taken:]:
            book.take(frame.payload)
        taken = len(frames)
        time.sleep(0.02)


@pytest.mark.needs("data")
def test_a_live_book_is_the_venues_through_gaps_and_broken_connections(running: ServedExchange) -> None:
    book = CheckedBook()
    settings = running.settings(streams=("depth@100ms", "bookTicker", "trade"), reconnect_most_ms=200)
    with collecting(a_source(settings, catalog("BINANCE_USDM:BTCUSDT"), interval_ns=SECOND)) as found:
        found.until(lambda found: any(b"lastUpdateId" in payload for payload in found.payloads))
        watched(found, CheckedBook(), 0.5)
        for frame in found.frames:
            book.take(frame.payload)
        watched(found, book, 2.0)
        assert book.book.synced
        for fault in ({"kind": "depth_gap", "symbol": "BTCUSDT"}, {"kind": "disconnect", "sockets": "public"},
                      {"kind": "depth_gap", "symbol": "BTCUSDT", "times": 3}):
            seen = book.compared
            running.fault(**fault)
            watched(found, book, 2.5)
            assert book.book.synced, fault
            assert book.compared > seen + 20, fault
    assert book.different == 0
    assert book.compared > 200
    assert {letter.reason for letter in found.letters} == {DeadLetterReason.SEQUENCE_GAP}
    assert sum(b"lastUpdateId" in payload for payload in found.payloads) >= 4
    times = [tick.time_ns for tick in found.ticks]
    assert times == list(range(times[0], times[0] + len(times) * SECOND, SECOND))
    assert len(times) >= 9
    assert json.loads(data_of(found.payloads[-1]) or b"{}")

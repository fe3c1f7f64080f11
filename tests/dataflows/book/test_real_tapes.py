"""The book rebuilt from differences against what the venue itself said, and all its levels against a dict."""

import gzip
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from dataflows.book import BookResult, BookSide, OrderBook
from dataflows.codecs.binance import MarketEvent, Rejection, decode
from dataflows.codecs.binance_events import BookTicker, DepthSnapshot, DepthUpdate
from dataflows.codecs.levels import Levels

pytestmark = pytest.mark.needs("data")


def events(paths: list[Path]) -> Iterator[MarketEvent]:
    for path in paths:
        with gzip.open(path, "rb") as lines:
            for line in lines:
                event = decode(line.split(b" ", 1)[1])
                assert not isinstance(event, Rejection), event
                yield event


def plain_levels(snapshot: Levels, differences: Iterable[Levels]) -> dict[float, float]:
    """Return one side's quantities by price, kept in the plainest way."""
    side = dict[float, float]()
    for levels in (snapshot, *differences):
        side.update(levels.tolist())
    return {price: quantity for price, quantity in side.items() if quantity}


def held_levels(book: OrderBook, side: BookSide) -> dict[float, float]:
    return {float(price): quantity for price, quantity in book.levels(side, 20_000)}


def top(book: OrderBook) -> tuple[float, float, float, float]:
    return (float(book.best_bid() or 0), book.best_quantity(BookSide.BID),
            float(book.best_ask() or 0), book.best_quantity(BookSide.ASK))


@pytest.mark.parametrize(
    ("files", "tick_size", "updates"),
    [
        (["usdm_btcusdt_20240808"], "0.10", 6545),
        (["usdm_ethusdt_20240808"], "0.01", 6579),
        (["cm_btcusd_perp_20240808", "cm_btcusd_perp_20240809"], "0.1", 44_770),
    ],
)
def test_the_book_equals_the_venues_best_prices_after_every_update_and_a_dict_in_the_end(
    data_folder: Path, files: list[str], tick_size: str, updates: int,
) -> None:
    book = OrderBook(Decimal(tick_size))
    differences: list[DepthUpdate] = []
    books: list[tuple[int, tuple[float, float, float, float]]] = []
    tickers: list[tuple[int, tuple[float, float, float, float]]] = []
    for event in events([data_folder / "ticks" / f"{name}.gz" for name in files]):
        if isinstance(event, BookTicker):
            prices = (event.best_bid, event.best_bid_quantity, event.best_ask, event.best_ask_quantity)
            tickers.append((event.update_id, prices))
        elif isinstance(event, DepthSnapshot):
            assert book.apply_snapshot(event.last_update_id, event.bids, event.asks) is BookResult.APPLIED
            snapshot = event
        elif isinstance(event, DepthUpdate):
            differences.append(event)
            result = book.apply_update(
                event.first_update_id, event.last_update_id, event.previous_update_id, event.bids, event.asks)
            if result is BookResult.BUFFERED:
                continue
            assert result is BookResult.APPLIED
            books.append((event.last_update_id, top(book)))
    assert len(books) == updates
    later = [difference for difference in differences if difference.last_update_id >= snapshot.last_update_id]
    assert held_levels(book, BookSide.BID) == plain_levels(snapshot.bids, (difference.bids for difference in later))
    assert held_levels(book, BookSide.ASK) == plain_levels(snapshot.asks, (difference.asks for difference in later))
    identifiers = [update_id for update_id, _ in tickers]
    for update_id, prices in books:
        assert tickers[bisect_right(identifiers, update_id) - 1][1] == prices

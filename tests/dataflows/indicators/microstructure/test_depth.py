import gzip
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflows.book import BookResult, BookSide, OrderBook
from dataflows.codecs.binance import decode
from dataflows.codecs.binance_events import DepthSnapshot, DepthUpdate
from dataflows.indicators.microstructure import depth
from dataflows.indicators.microstructure.depth import FEATURES
from dataflows.kernels import Floats, RecordArray, kernel

Levels = Sequence[tuple[float, float]]


@kernel
def fill(book: RecordArray, values: Floats) -> None:
    depth.fill(book[0].bids, book[0].asks, values)


def features_of(book: OrderBook) -> dict[str, float]:
    values = np.zeros(len(FEATURES))
    fill(book._record, values)
    return {feature.name: float(value) for feature, value in zip(FEATURES, values, strict=True)}


def book_of(bids: Levels, asks: Levels) -> OrderBook:
    """Return a book of prices in ticks of 1."""
    book = OrderBook(Decimal(1))
    sides = [np.array(side, np.float64).reshape(-1, 2) for side in (bids, asks)]
    assert book.apply_snapshot(1, *sides) is BookResult.LOADED
    return book


def plain(bids: Levels, asks: Levels) -> dict[str, float]:
    """Say the same from the definitions; levels are price and quantity, best first, as numbers of any unit."""
    bid, ask = np.array(bids, np.float64), np.array(asks, np.float64)
    mid = (bid[0, 0] + ask[0, 0]) / 2
    said = {}
    for number in (10, 50):
        said[f"imbalance_{number}"] = share(bid[:number, 1].sum(), ask[:number, 1].sum())
    near = [(side[:20, 1] / abs(side[:20, 0] - mid)).sum() for side in (bid, ask)]
    said["weighted_imbalance_20"] = share(*near)
    for band in (5, 10, 25):
        inside = [float(side[abs(side[:, 0] - mid) <= mid * band / 1e4 * (1 + 1e-12), 1].sum()) for side in (bid, ask)]
        said[f"bid_depth_{band}bps"], said[f"ask_depth_{band}bps"] = inside
        said[f"depth_imbalance_{band}bps"] = share(*inside)
    for name, side in (("bid", bid), ("ask", ask)):
        price, total = side[:20, 0], side[:20, 1].cumsum()
        growth = (total[1:] / total[:-1] - 1) / abs(price[1:] / price[:-1] - 1) / 1e4
        said[f"{name}_slope_20"] = growth.mean() if growth.size else np.nan
    both = np.concatenate([bid[:10], ask[:10]])
    said["book_pressure_10_bps"] = 1e4 * (np.average(both[:, 0] - mid, weights=both[:, 1])) / mid
    return said


def share(bid: float, ask: float) -> float:
    return (bid - ask) / (bid + ask) if bid + ask > 0 else 0.0


def test_a_book_of_two_levels_a_side_worked_by_hand() -> None:
    """The mid price is 10 000, so a tick of 1 is a basis point."""
    said = features_of(book_of([(9999, 2.0), (9994, 6.0)], [(10_001, 1.0), (10_011, 3.0)]))
    assert said["imbalance_10"] == said["imbalance_50"] == pytest.approx(4 / 12)
    assert said["weighted_imbalance_20"] == pytest.approx((3 - 14 / 11 + 0) / (3 + 14 / 11))
    assert (said["bid_depth_5bps"], said["ask_depth_5bps"], said["depth_imbalance_5bps"]) == (2.0, 1.0, 1 / 3)
    assert (said["bid_depth_10bps"], said["ask_depth_10bps"]) == (8.0, 1.0)
    assert (said["bid_depth_25bps"], said["ask_depth_25bps"]) == (8.0, 4.0)
    assert said["bid_slope_20"] == pytest.approx(3 / (1e4 * 5 / 9999))
    assert said["ask_slope_20"] == pytest.approx(3 / (1e4 * 10 / 10_001))
    assert said["book_pressure_10_bps"] == pytest.approx((-2 * 1 - 6 * 6 + 1 + 3 * 11) / 12)


def test_a_level_at_the_edge_of_a_band_is_in_it() -> None:
    """1000 * (1 + 10 / 10000) is not 1001 in floating point, which must not put that level outside."""
    said = features_of(book_of([(19_999, 1.0), (19_990, 2.0), (19_989, 4.0)], [(20_001, 1.0), (20_010, 2.0)]))
    assert (said["bid_depth_5bps"], said["ask_depth_5bps"]) == (3.0, 3.0)
    said = features_of(book_of([(999, 1.0)], [(1001, 2.0)]))
    assert (said["bid_depth_10bps"], said["ask_depth_10bps"]) == (1.0, 2.0)


@pytest.mark.parametrize("empty", ["bid", "ask", "both"])
def test_nothing_is_said_of_a_book_without_two_sides(empty: str) -> None:
    bids: Levels = [] if empty != "ask" else [(99, 1.0)]
    asks: Levels = [] if empty != "bid" else [(101, 1.0)]
    assert np.isnan(list(features_of(book_of(bids, asks)).values())).all()


def test_one_level_has_no_slope() -> None:
    said = features_of(book_of([(99, 1.0)], [(101, 1.0), (102, 1.0)]))
    assert np.isnan(said["bid_slope_20"])
    assert np.isfinite(said["ask_slope_20"])


SIDES = st.lists(
    st.tuples(st.integers(1, 400), st.floats(0.001, 1000)), min_size=2, max_size=70, unique_by=lambda level: level[0])


@settings(max_examples=40)
@given(SIDES, SIDES)
def test_any_book_against_numpy_and_its_mirror_image(below: Levels, above: Levels) -> None:
    """Mirrored at the mid price, what leans to one side leans to the other."""
    middle = 100_000
    bids = sorted(((middle - distance, quantity) for distance, quantity in below), reverse=True)
    asks = sorted((middle + distance, quantity) for distance, quantity in above)
    said = features_of(book_of(bids, asks))
    expected = plain(bids, asks)
    assert said == pytest.approx(expected, rel=1e-9, abs=1e-12)
    for feature in FEATURES:
        assert feature.low <= said[feature.name] <= feature.high
    turned = bids[0][0] + asks[0][0]
    mirrored = features_of(book_of([(turned - key, q) for key, q in asks], [(turned - key, q) for key, q in bids]))
    for name in said:
        if "imbalance" in name or "pressure" in name:
            assert mirrored[name] == pytest.approx(-said[name], rel=1e-9, abs=1e-12)


@pytest.mark.needs("data")
def test_a_recorded_book_against_numpy(data_folder: Path) -> None:
    book, compared = OrderBook(Decimal("0.10")), 0
    with gzip.open(data_folder / "ticks" / "usdm_btcusdt_20240808.gz", "rb") as lines:
        for line in lines:
            event = decode(line.split(b" ", 1)[1])
            if isinstance(event, DepthSnapshot):
                book.apply_snapshot(event.last_update_id, event.bids, event.asks)
            elif isinstance(event, DepthUpdate):
                book.apply_update(
                    event.first_update_id, event.last_update_id, event.previous_update_id, event.bids, event.asks)
                compared += book.synced
                if book.synced and compared % 50 == 0:
                    levels = [[(float(price), quantity) for price, quantity in book.levels(side, 4000)]
                              for side in (BookSide.BID, BookSide.ASK)]
                    assert features_of(book) == pytest.approx(plain(*levels), rel=1e-9, abs=1e-12)
            if compared > 250:
                break
    assert compared > 250

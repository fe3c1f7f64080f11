"""Parts of feature rows: each row once, whatever happens between two snapshots."""

import math
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflows.actors.market_rows import BookTop, FeatureRow
from dataflows.extraction.tables import read_features
from dataflows.indicators.schema import MARKET_SCHEMA
from dataflows.sinks.feature_parts import FeaturePartsPartition, FeaturePartsSink, PartsState

WIDTH = len(MARKET_SCHEMA.features)
#: Two minutes before midnight.
START = 1_700_006_280
TOP = BookTop(1.0, 1.0, 2.0, 1.0, math.nan, True, 1)


def a_row(sequence: int, instrument: str = "BINANCE_USDM:BTCUSDT") -> FeatureRow:
    values = (math.nan, *(float(sequence),) * (WIDTH - 1))
    return FeatureRow(instrument, (START + sequence) * 10**9, sequence, MARKET_SCHEMA.hash, values,
                      tuple(map(math.isfinite, values)), TOP, sequence, 0)


def part(folder: Path, state: PartsState | None = None, part_rows: int = 50) -> FeaturePartsPartition:
    return FeaturePartsSink(folder, MARKET_SCHEMA, part_rows).build_part("out", "parts", state)


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def uninterrupted(folder: Path, count: int) -> dict[str, bytes]:
    whole = part(folder)
    whole.write_batch([a_row(sequence) for sequence in range(1, count + 1)])
    whole.close()
    return files(folder)


def test_parts_are_by_set_instrument_day_and_first_row(tmp_path: Path) -> None:
    sink = part(tmp_path)
    sink.write_batch([a_row(sequence) for sequence in range(1, 161)])
    sink.write_batch([a_row(1, "BINANCE_COINM:BTCUSD_PERP")])
    sink.close()
    assert sorted(files(tmp_path)) == [
        "market/BINANCE_COINM_BTCUSD_PERP/2023-11-14/235801000_000000000001.parquet",
        "market/BINANCE_USDM_BTCUSDT/2023-11-14/235801000_000000000001.parquet",
        "market/BINANCE_USDM_BTCUSDT/2023-11-14/235851000_000000000051.parquet",
        "market/BINANCE_USDM_BTCUSDT/2023-11-14/235941000_000000000101.parquet",
        "market/BINANCE_USDM_BTCUSDT/2023-11-15/000000000_000000000120.parquet"]
    _, table = read_features(tmp_path / "market" / "BINANCE_USDM_BTCUSDT")
    assert table["sequence"].to_list() == list(range(1, 161))
    assert table["spread_bps"].null_count() == 160
    assert table["event_time"].is_sorted()


@settings(max_examples=15)
@given(cuts=st.lists(st.integers(1, 60), min_size=1, max_size=4), lost=st.integers(0, 120), stopped=st.booleans())
def test_a_crash_anywhere_leaves_every_row_once(
    cuts: list[int], lost: int, stopped: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("parts")
    done, sink = 0, part(folder)
    for rows in cuts:
        sink.write_batch([a_row(sequence) for sequence in range(done + 1, done + rows + 1)])
        done += rows
        state = sink.snapshot()
    if stopped:
        sink.close()
    else:
        sink.write_batch([a_row(sequence) for sequence in range(done + 1, done + lost + 1)])
    resumed = part(folder, state)
    resumed.write_batch([a_row(sequence) for sequence in range(done + 1, 301)])
    resumed.close()
    assert files(folder) == uninterrupted(tmp_path_factory.mktemp("whole"), 300)


def test_a_run_from_the_beginning_with_other_parts_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    for part_rows in (50, 30, 70):
        sink = part(tmp_path, part_rows=part_rows)
        sink.write_batch([a_row(sequence) for sequence in range(1, 201)])
        sink.close()
        _, table = read_features(tmp_path)
        assert table["sequence"].to_list() == list(range(1, 201))


def test_rows_of_a_later_time_stay_beside_earlier_ones(tmp_path: Path) -> None:
    for first in (1, 60):
        sink = part(tmp_path)
        sink.write_batch([a_row(sequence) for sequence in range(first, first + 40)])
        sink.close()
    _, table = read_features(tmp_path)
    assert table.select(pl.len(), pl.col("sequence").n_unique().alias("distinct")).row(0) == (80, 80)

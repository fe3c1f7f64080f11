"""Feature rows as Parquet: what is not valid is null, the schema travels along, a file is whole or not there."""

import math
from pathlib import Path

import polars as pl
import pytest

from dataflows.actors.market_rows import BookTop, FeatureRow
from dataflows.extraction.tables import FeatureFile, empty_table, read_features, schema_of_file, table_of
from dataflows.indicators.schema import MARKET_SCHEMA, FeatureSchema
from dataflows.indicators.schemas import FULL_SCHEMA
from sluice.errors import InputError, NotFoundError

NAN = math.nan
TWO = FeatureSchema("market", 1, ("a", "b"))


def a_row(sequence: int, values: tuple[float, ...], schema: FeatureSchema, *, synced: bool = True) -> FeatureRow:
    bid, ask = (10.0, 10.5) if synced else (NAN, NAN)
    top = BookTop(bid, 1.0, ask, 1.0, NAN, synced, 1)
    valid = tuple(map(math.isfinite, values))
    return FeatureRow("BINANCE_USDM:BTCUSDT", sequence * 10**9, sequence, schema.hash, values, valid, top, 1, 0)


def some_rows(schema: FeatureSchema, *sequences: int) -> list[FeatureRow]:
    width = len(schema.features)
    return [a_row(sequence, (NAN, *map(float, range(1, width))), schema) for sequence in sequences]


def written(path: Path, schema: FeatureSchema, *sequences: int) -> Path:
    with FeatureFile(path, schema) as file:
        file.add(table_of(some_rows(schema, *sequences), schema))
    return path


def test_a_table_has_a_column_a_feature_and_null_where_one_is_not_valid() -> None:
    table = table_of([a_row(1, (1.5, NAN), TWO), a_row(2, (NAN, 0.0), TWO, synced=False)], TWO)
    assert table.to_dicts() == [
        {"instrument": "BINANCE_USDM:BTCUSDT", "event_time": table["event_time"][0], "sequence": 1, "synced": True,
         "best_bid": 10.0, "best_ask": 10.5, "a": 1.5, "b": None},
        {"instrument": "BINANCE_USDM:BTCUSDT", "event_time": table["event_time"][1], "sequence": 2, "synced": False,
         "best_bid": None, "best_ask": None, "a": None, "b": 0.0}]
    assert table["event_time"].cast(pl.Int64).to_list() == [10**9, 2 * 10**9]
    assert table.schema == empty_table(TWO).schema


def test_no_rows_are_a_table_too() -> None:
    assert table_of([], TWO).equals(empty_table(TWO))


def test_a_row_of_another_schema_is_refused() -> None:
    with pytest.raises(InputError, match="a row must be of schema market"):
        table_of(some_rows(MARKET_SCHEMA, 1), TWO)


@pytest.mark.parametrize("schema", [MARKET_SCHEMA, FULL_SCHEMA], ids=lambda schema: schema.name)
def test_rows_are_read_as_they_were_written_with_their_schema(schema: FeatureSchema, tmp_path: Path) -> None:
    path = tmp_path / "new" / "out.parquet"
    with FeatureFile(path, schema) as file:
        file.add(table_of(some_rows(schema, 1, 2), schema))
        file.add(table_of(some_rows(schema, 3), schema))
    assert file.rows == 3
    found, table = read_features(path)
    assert found is schema
    assert table.equals(table_of(some_rows(schema, 1, 2, 3), schema))
    assert [each.name for each in path.parent.iterdir()] == ["out.parquet"]


def write_then_fail(path: Path) -> None:
    with FeatureFile(path, MARKET_SCHEMA) as file:
        file.add(table_of(some_rows(MARKET_SCHEMA, 2), MARKET_SCHEMA))
        file.add(table_of(some_rows(MARKET_SCHEMA, 3), TWO))


def test_an_error_leaves_what_was_there(tmp_path: Path) -> None:
    path = written(tmp_path / "out.parquet", MARKET_SCHEMA, 1)
    before = path.read_bytes()
    with pytest.raises(InputError, match="a row must be"):
        write_then_fail(path)
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["out.parquet"]


@pytest.mark.parametrize("place", ["a folder", "below a file", "/proc/nothing/out.parquet"])
def test_a_place_that_cannot_be_written_is_said_before_any_work(place: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    path = {"a folder": tmp_path, "below a file": tmp_path / "file" / "out.parquet"}.get(place, Path(place))
    with pytest.raises(InputError, match="must be"), FeatureFile(path, MARKET_SCHEMA):
        pytest.fail("the block must not begin")


def test_another_schema_is_refused_by_its_hash(tmp_path: Path) -> None:
    light = written(tmp_path / "light.parquet", MARKET_SCHEMA, 1)
    written(tmp_path / "of_full.parquet", FULL_SCHEMA, 1)
    with pytest.raises(InputError, match=f"must be of schema full version 1, {FULL_SCHEMA.hash[:12]}, was of market"):
        read_features(light, FULL_SCHEMA)
    with pytest.raises(InputError, match=r"of_full\.parquet must be of schema market"):
        read_features(tmp_path)


def test_a_file_of_another_version_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="must be of schema market version 1, 9b1d5e919724, was of market version 1"):
        read_features(written(tmp_path / "old.parquet", TWO, 1))
    unknown = FeatureSchema("moon", 1, ("a",))
    with pytest.raises(InputError, match="must be of a known schema, was of moon version 1"):
        read_features(written(tmp_path / "moon.parquet", unknown, 1))


def test_columns_that_are_not_those_of_the_named_schema_are_refused(tmp_path: Path) -> None:
    written(tmp_path / "a.parquet", MARKET_SCHEMA, 1)
    metadata = pl.read_parquet_metadata(tmp_path / "a.parquet")
    changed = pl.read_parquet(tmp_path / "a.parquet").rename({"adx_14": "moon_phase"})
    ours = {key: value for key, value in metadata.items() if key.startswith("sluice")}
    changed.write_parquet(tmp_path / "b.parquet", metadata=ours)
    with pytest.raises(InputError, match="the columns of"):
        schema_of_file(tmp_path / "b.parquet")


def test_other_files_are_refused_with_the_way_to_make_one(tmp_path: Path) -> None:
    (tmp_path / "text.parquet").write_text("no Parquet")
    pl.DataFrame({"a": [1]}).write_parquet(tmp_path / "others.parquet")
    (tmp_path / "empty").mkdir()
    for name, error in [("text.parquet", InputError), ("others.parquet", InputError), ("none.parquet", NotFoundError),
                        ("empty", NotFoundError)]:
        with pytest.raises(error) as caught:
            read_features(tmp_path / name)
        assert caught.value.fix == "make it with `sluice features`"


def test_a_folder_is_read_in_the_order_of_its_files_without_those_being_written(tmp_path: Path) -> None:
    written(tmp_path / "b" / "2.parquet", MARKET_SCHEMA, 2)
    written(tmp_path / "b" / "1.parquet", MARKET_SCHEMA, 1)
    written(tmp_path / "c.parquet", MARKET_SCHEMA, 3)
    written(tmp_path / ".writing-1" / "0.parquet", MARKET_SCHEMA, 9)
    _, table = read_features(tmp_path)
    assert table["sequence"].to_list() == [1, 2, 3]

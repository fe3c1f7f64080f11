"""The archive on a real PostgreSQL: made once, each row once whatever comes again, and longer bars as recomputed."""

import json
import re
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflows.indicators.schema import MARKET_SCHEMA
from dataflows.sinks.postgres import ROOM
from dataflows.sinks.postgres.archive import migrate_archive
from dataflows.sinks.postgres.rows import BarRow, FeatureRow
from dataflows.sinks.postgres.writer import PostgresWriter
from sluice.cli.application import root, run
from sluice.errors import InputError, NotRunningError
from sluice.stores.embedded import StoreUrls
from sluice.stores.postgres import Connection, connect_sync, schema_of

SECOND_NS = 1_000_000_000
MIDNIGHT_NS = 1_723_075_200 * SECOND_NS  # 8 August 2024, UTC
INSTRUMENTS = ("BINANCE_USDM:BTCUSDT", "BINANCE_USDM:ETHUSDT")
PAGE = Path(__file__).parents[2] / "docs" / "archive.md"


@pytest.fixture(scope="module")
def namespace(stores: StoreUrls) -> str:
    """A namespace with an archive of its own."""
    name = "t" + uuid.uuid4().hex[:12]
    migrate_archive(stores.postgres_url, name)
    return name


@pytest.fixture(scope="module")
def writer(stores: StoreUrls, namespace: str) -> Iterator[PostgresWriter]:
    opened = PostgresWriter.open(stores.postgres_url, namespace)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def connection(stores: StoreUrls, namespace: str) -> Iterator[Connection]:
    with connect_sync(stores.postgres_url, schema_of(namespace, ROOM)) as opened:
        opened.execute("SET timezone = 'UTC'")
        yield opened


@pytest.fixture
def emptied(connection: Connection) -> Connection:
    connection.execute("TRUNCATE bars_1s, bars_1m, bars_5m, bars_1h, features")
    return connection


def a_bar(instrument: str, second: int) -> BarRow:
    """A bar whose figures say whose it is, from half an hour before midnight."""
    price = 100.0 + (second * 7919) % 101 / 7
    return BarRow(instrument, MIDNIGHT_NS + (second - 1800) * SECOND_NS, price, price + 1.1, price - 0.9,
                  price + 0.3, (second * 31) % 17 / 10)


def a_feature_row(sequence: int) -> FeatureRow:
    values = [float("nan")] + [sequence / 3 + place for place in range(1, len(MARKET_SCHEMA.features))]
    return FeatureRow(INSTRUMENTS[0], sequence, MIDNIGHT_NS + sequence * SECOND_NS + 123_456_789,
                      MARKET_SCHEMA.hash, values)


def rolled(bars: list[BarRow], length_s: int) -> list[tuple[object, ...]]:
    """The longer bars, one after another."""
    made: dict[tuple[str, int], list[float]] = {}
    for bar in sorted(bars):
        key = (bar.instrument, bar.start_ns // SECOND_NS // length_s * length_s)
        old = made.setdefault(key, [bar.open, bar.high, bar.low, bar.close, 0.0])
        made[key] = [old[0], max(old[1], bar.high), min(old[2], bar.low), bar.close, old[4] + bar.volume]
    return [(*key, *values) for key, values in made.items()]


def stored(connection: Connection, table: str) -> list[tuple[object, ...]]:
    return connection.execute(
        f"SELECT instrument, extract(epoch FROM time)::bigint, open, high, low, close, volume FROM {table} "
        "ORDER BY 1, 2".encode()).fetchall()


@given(data=st.data(), seconds=st.lists(st.integers(0, 3600), min_size=1, max_size=60))
@settings(max_examples=8)
def test_bars_are_stored_once_and_rolled_up_however_they_are_cut_and_repeated(
    writer: PostgresWriter, connection: Connection, data: st.DataObject, seconds: list[int]
) -> None:
    connection.execute("TRUNCATE bars_1s, bars_1m, bars_5m, bars_1h")
    bars = [a_bar(INSTRUMENTS[second % 2], second) for second in seconds]
    coming, new = data.draw(st.permutations(bars + bars[:10])), 0
    while coming:
        cut = data.draw(st.integers(1, len(coming)))
        new += writer.write_bars(coming[:cut])
        coming = coming[cut:]
    once = sorted(set(bars))
    minutes = [BarRow(str(row[0]), int(str(row[1])) * SECOND_NS, *map(float, map(str, row[2:])))
               for row in rolled(once, 60)]
    assert new == len(once)
    assert stored(connection, "bars_1s") == rolled(once, 1)
    assert stored(connection, "bars_1m") == rolled(once, 60)
    assert stored(connection, "bars_5m") == rolled(minutes, 300)
    assert stored(connection, "bars_1h") == rolled(minutes, 3600)


@given(cuts=st.lists(st.tuples(st.integers(1, 40), st.integers(1, 20)), min_size=1, max_size=6))
@settings(max_examples=8)
def test_feature_rows_are_stored_once_to_the_last_bit(
    writer: PostgresWriter, connection: Connection, cuts: list[tuple[int, int]]
) -> None:
    connection.execute("TRUNCATE features")
    batches = [[a_feature_row(sequence) for sequence in range(first, first + count)] for first, count in cuts]
    new = sum(writer.write_features(batch) for batch in batches)
    once = {row.sequence: row for batch in batches for row in batch}
    expected = [once[sequence] for sequence in sorted(once)]
    found = connection.execute("SELECT instrument, sequence, event_time_ns, schema_hash, feature_values, "
                               "(extract(epoch FROM time) * 1000000)::bigint FROM features ORDER BY 2").fetchall()
    assert new == len(found) == len(expected)
    for row, wanted in zip(found, expected, strict=True):
        assert row[:4] == wanted[:4]
        assert row[4][0] != row[4][0]
        assert row[4][1:] == wanted.values[1:]
        assert row[5] == wanted.event_time_ns // 1000


def wait_until_blocked(connection: Connection, writer: PostgresWriter, thread: threading.Thread) -> None:
    """Return when the server lets the writer wait for another, or the thread has ended."""
    waiting = "SELECT wait_event_type FROM pg_stat_activity WHERE pid = %s"
    while thread.is_alive() and connection.execute(waiting, (writer.backend,)).fetchone() != ("Lock",):
        thread.join(0.01)


def test_second_writer_of_an_instrument_waits_so_that_a_minute_has_the_bars_of_both(
    stores: StoreUrls, namespace: str, emptied: Connection
) -> None:
    mine = [a_bar(INSTRUMENTS[0], 1862)]
    writer, other = (PostgresWriter.open(stores.postgres_url, namespace) for _ in range(2))
    for each in (writer, other):
        each.write_bars([a_bar(INSTRUMENTS[1], 1860)])
    thread = threading.Thread(target=other.write_bars, args=([a_bar(INSTRUMENTS[0], 1863)],))
    with writer._connection.transaction():
        writer.write_bars(mine)
        thread.start()
        wait_until_blocked(emptied, other, thread)
    thread.join(30)
    for each in (writer, other):
        each.close()
    bars = [*mine, a_bar(INSTRUMENTS[0], 1863), a_bar(INSTRUMENTS[1], 1860)]
    assert stored(emptied, "bars_1m") == rolled(bars, 60)


def test_days_lie_in_partitions_of_their_own(writer: PostgresWriter, emptied: Connection) -> None:
    writer.write_bars([a_bar(INSTRUMENTS[0], second) for second in (0, 1799, 1800, 3000)])
    found = emptied.execute("SELECT tableoid::regclass::text, count(*) FROM bars_1s GROUP BY 1 ORDER BY 1").fetchall()
    assert found == [("bars_1s_20240807", 2), ("bars_1s_20240808", 2)]


def test_batch_with_a_row_that_is_refused_leaves_nothing_and_the_writer_goes_on(
    writer: PostgresWriter, emptied: Connection
) -> None:
    good = a_bar(INSTRUMENTS[0], 1)
    with pytest.raises(InputError, match="rows of bars_1s must be as its columns are"):
        writer.write_bars([good, good._replace(instrument="nul\0")])
    assert stored(emptied, "bars_1s") == []
    assert writer.write_bars([good]) == 1


def test_batch_of_nothing_stores_nothing(writer: PostgresWriter) -> None:
    assert (writer.write_bars([]), writer.write_features([])) == (0, 0)


def test_writer_whose_connection_is_cut_says_so(stores: StoreUrls, namespace: str, emptied: Connection) -> None:
    writer = PostgresWriter.open(stores.postgres_url, namespace)
    emptied.execute("SELECT pg_terminate_backend(%s)", (writer.backend,))
    with pytest.raises(NotRunningError, match="PostgreSQL must take a batch of bars_1s, was away"):
        writer.write_bars([a_bar(INSTRUMENTS[0], 1)])
    assert stored(emptied, "bars_1s") == []
    writer.close()


def test_archive_without_tables_is_named_with_its_command(stores: StoreUrls) -> None:
    with pytest.raises(InputError, match="must have its tables") as caught:
        PostgresWriter.open(stores.postgres_url, "t" + uuid.uuid4().hex[:12])
    assert "sluice stores migrate" in caught.value.fix


def test_hypertable_takes_the_place_of_the_partitioned_table_with_its_keys(connection: Connection) -> None:
    """TimescaleDB's function is stood in for by one that notes what it was asked for; the rest is real."""
    with connection.transaction(force_rollback=True):
        connection.execute("CREATE TABLE asked (what text)")
        connection.execute(
            "CREATE FUNCTION create_hypertable(relation regclass, column_name name, chunk_time_interval interval) "
            "RETURNS void LANGUAGE sql AS "
            "$$ INSERT INTO asked VALUES (format('%s %s %s', relation, column_name, chunk_time_interval)) $$")
        found = connection.execute("SELECT keep_by_day('features', current_schema)").fetchone()
        assert found == ("hypertable",)
        assert connection.execute("SELECT what FROM asked").fetchall() == [("features time 1 day",)]
        assert connection.execute("SELECT relkind FROM pg_class WHERE oid = 'features'::regclass").fetchone() == ("r",)
        keys = connection.execute("SELECT indexdef FROM pg_indexes WHERE tablename = 'features' "
                                  "AND schemaname = current_schema").fetchall()
        assert sum("UNIQUE" in key[0] and '(instrument, "time", sequence)' in key[0] for key in keys) == 1


def sluice(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = run(root(), "sluice", ["stores", *arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_commands_make_the_tables_once_and_tell_what_is_missing_or_changed(
    stores: StoreUrls, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    name = "t" + uuid.uuid4().hex[:12]
    monkeypatch.setenv("SLUICE_RUN__NAMESPACE", name)
    monkeypatch.setenv("SLUICE_STORES__POSTGRES_URL", stores.postgres_url)
    monkeypatch.setenv("SLUICE_STORES__REDIS_URL", stores.redis_url)
    code, out, _ = sluice(capsys, "check", "--json")
    assert (code, json.loads(out)["missing"]) == (1, ["001_tables.sql"])
    assert json.loads(sluice(capsys, "migrate", "--json")[1]) == {"applied": ["001_tables.sql"]}
    assert sluice(capsys, "migrate")[:2] == (0, "The archive's tables are up to date.\n")
    code, out, _ = sluice(capsys, "check")
    assert (code, out) == (0, "001_tables.sql is applied\nDays are kept as daily partitions (no TimescaleDB).\n")
    with connect_sync(stores.postgres_url, schema_of(name, ROOM)) as opened:
        opened.execute("UPDATE schema_migrations SET sha256 = 'other'")
    for command in ("check", "migrate"):
        code, _, told = sluice(capsys, command)
        assert (code, "001_tables.sql must be the one applied" in told) == (4, True)
    monkeypatch.setenv("SLUICE_STORES__POSTGRES_URL", "postgresql://sluice@127.0.0.1:1/x")
    assert sluice(capsys, "check")[0] == 3


@pytest.mark.parametrize("query", re.findall(r"^```sql\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL))
def test_query_of_the_page_finds_rows(query: str, writer: PostgresWriter, emptied: Connection) -> None:
    writer.write_bars([a_bar(INSTRUMENTS[0], second) for second in range(1790, 1870)])
    writer.write_features([a_feature_row(sequence) for sequence in range(1, 5)])
    assert emptied.execute(query.encode()).fetchall()

"""Rows a second into the archive's tables beside a binary COPY of the same rows, without a key and with the same key.

    python -m benchmarks.bench_stores [--rows 100000] [--batch 5000] [--rounds 3]

Bars are of 20 instruments, second after second, and each batch makes its longer bars too; feature rows are of the light
set. The yardsticks are a COPY of each batch as a transaction of its own. All start with empty tables, rounds alternate,
medians of wall time are compared. PostgreSQL is the configured one, else an embedded one in a temporary folder; the
namespace is the benchmark's own, and is dropped at the end.
"""

import argparse
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from dataflows.indicators.schema import MARKET_SCHEMA
from dataflows.sinks.postgres import ROOM
from dataflows.sinks.postgres.archive import migrate_archive
from dataflows.sinks.postgres.rows import BARS, FEATURES, BarRow, FeatureRow, Table
from dataflows.sinks.postgres.writer import PostgresWriter, copy_rows
from sluice.config.loading import load_settings
from sluice.stores.embedded import stores
from sluice.stores.postgres import Connection, connect_sync, schema_of

SECOND_NS = 1_000_000_000
START_NS = 1_723_075_200 * SECOND_NS
INSTRUMENTS = 20


def bars(count: int) -> list[BarRow]:
    """Return bars of all instruments, second after second."""
    return [BarRow(f"BINANCE_USDM:COIN{row % INSTRUMENTS}USDT", START_NS + row // INSTRUMENTS * SECOND_NS,
                   100.0 + row % 7, 101.0 + row % 7, 99.0 + row % 7, 100.5 + row % 7, row % 13 / 10)
            for row in range(count)]


def feature_rows(count: int) -> list[FeatureRow]:
    """Return rows of the light set of all instruments, tick after tick."""
    values = [index / 7 for index in range(len(MARKET_SCHEMA.features))]
    return [FeatureRow(f"BINANCE_USDM:COIN{row % INSTRUMENTS}USDT", row // INSTRUMENTS + 1,
                       START_NS + row // INSTRUMENTS * SECOND_NS, MARKET_SCHEMA.hash, [row / 3, *values[1:]])
            for row in range(count)]


def seconds_for(write: Callable[[Sequence[Any]], object], rows: Sequence[Any], batch: int) -> float:
    """Return how long it takes to write all rows in batches."""
    started = time.perf_counter()
    for first in range(0, len(rows), batch):
        write(rows[first:first + batch])
    return time.perf_counter() - started


def compare(
    name: str, connection: Connection, table: Table, write: Callable[[Sequence[Any]], object], rows: Sequence[Any],
    options: argparse.Namespace,
) -> None:
    """Measure one table and print its figures."""
    bare, keyed = f"bare_{table.name}", f"keyed_{table.name}"
    connection.execute(f"CREATE TABLE {bare} (LIKE {table.name})".encode())
    connection.execute(f"CREATE TABLE {keyed} (LIKE {table.name} INCLUDING INDEXES)".encode())
    writers = {"ours": write, "bare": lambda batch: copy_rows(connection, table, bare, batch),
               "keyed": lambda batch: copy_rows(connection, table, keyed, batch)}
    taken: dict[str, list[float]] = {each: [] for each in writers}
    for _ in range(options.rounds):
        connection.execute(f"TRUNCATE {bare}, {keyed}, {table.name}, bars_1m, bars_5m, bars_1h".encode())
        for each, writer in writers.items():
            taken[each].append(seconds_for(writer, rows, options.batch))
    speed = {each: len(rows) / statistics.median(seconds) for each, seconds in taken.items()}
    print(f"{name:>9}: {speed['ours']:9,.0f} rows/s; binary COPY {speed['bare']:9,.0f} rows/s without a key "
          f"({speed['ours'] / speed['bare']:.0%} of it), {speed['keyed']:9,.0f} with it "
          f"({speed['ours'] / speed['keyed']:.0%})")


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--batch", type=int, default=5_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    namespace = "bench" + uuid.uuid4().hex[:8]
    settings = load_settings(None)
    with tempfile.TemporaryDirectory() as folder:
        run = settings.run.model_copy(update={"data_dir": Path(folder)})
        with stores(settings.model_copy(update={"run": run})) as urls:
            measure(urls.postgres_url, namespace, options)


def measure(url: str, namespace: str, options: argparse.Namespace) -> None:
    """Measure in a namespace of its own and drop it."""
    migrate_archive(url, namespace)
    schema = schema_of(namespace, ROOM)
    with connect_sync(url, schema) as connection:
        writer = PostgresWriter.open(url, namespace)
        try:
            compare("bars", connection, BARS, writer.write_bars, bars(options.rows), options)
            compare("features", connection, FEATURES, writer.write_features, feature_rows(options.rows), options)
        finally:
            writer.close()
            connection.execute(f"DROP SCHEMA {schema} CASCADE".encode())


if __name__ == "__main__":
    main()

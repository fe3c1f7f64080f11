"""Bars of 1 m, 5 m and 1 h, made anew of what is stored wherever a bar of 1 s came in.

A bucket is the bars of the shorter length that start in it: first open, highest high, lowest low, last close, volumes
added in the order of time, so that the same bars give the same bits whatever order they came in.
"""

from collections.abc import Collection
from typing import Final

from dataflows.sinks.postgres.rows import BARS, timestamp
from sluice.stores.postgres import Connection

#: Longer bars: table, length, and the table that they are made of.
ROLL_UPS: Final = (
    ("bars_1m", "1 minute", BARS.name), ("bars_5m", "5 minutes", "bars_1m"), ("bars_1h", "1 hour", "bars_1m"))
MINUTE_NS: Final = 60_000_000_000
#: Minutes in which bars came in.
TOUCHED: Final = "CREATE TEMPORARY TABLE touched (instrument text, time timestamptz) ON COMMIT DELETE ROWS"

# A lateral aggregate reads a bucket by the key, whatever the planner thinks of the temporary table.
_ROLL_UP: Final = """
INSERT INTO {table} AS old (instrument, time, open, high, low, close, volume)
SELECT bucket.instrument, bucket.time, bar.open, bar.high, bar.low, bar.close, bar.volume
FROM (SELECT DISTINCT instrument, date_bin('{length}', time, 'epoch') AS time FROM touched) AS bucket
CROSS JOIN LATERAL (
    SELECT (array_agg(open ORDER BY time))[1] AS open, max(high) AS high, min(low) AS low,
           (array_agg(close ORDER BY time DESC))[1] AS close, sum(volume ORDER BY time) AS volume
    FROM {source} AS shorter
    WHERE shorter.instrument = bucket.instrument
      AND shorter.time >= bucket.time AND shorter.time < bucket.time + interval '{length}'
) AS bar
ORDER BY 1, 2
ON CONFLICT (instrument, time) DO UPDATE SET open = excluded.open, high = excluded.high, low = excluded.low,
    close = excluded.close, volume = excluded.volume"""


def roll_up(connection: Connection, minutes: Collection[tuple[str, int]]) -> None:
    """Make the longer bars of these minutes (instrument, minutes since 1970) anew, in the writer's transaction."""
    with connection.cursor() as cursor, cursor.copy("COPY touched FROM STDIN (FORMAT binary)") as copy:
        copy.set_types(("text", "int8"))
        for instrument, minute in minutes:
            copy.write_row((instrument, timestamp(minute * MINUTE_NS)))
    for table, length, source in ROLL_UPS:
        connection.execute(_ROLL_UP.format(table=table, length=length, source=source).encode())

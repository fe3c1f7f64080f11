-- What the streams saw and did, for queries. Times are event time: `time` for people, to the microsecond (rounded
-- down), `event_time_ns` exact where it may be finer. Quantities and money of orders are exact; market data is float.

-- Where TimescaleDB's functions are; null without it.
CREATE FUNCTION timescaledb_home() RETURNS text LANGUAGE sql STABLE AS
$$ SELECT extnamespace::regnamespace::text FROM pg_extension WHERE extname = 'timescaledb' $$;

-- Make a table that is partitioned by day into a hypertable of one-day chunks where there is TimescaleDB, compressed
-- after a week where its licence has that. Without it, the writer makes a partition a day; queries are the same.
CREATE FUNCTION keep_by_day(name text, home text DEFAULT timescaledb_home()) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    IF home IS NULL THEN
        RETURN 'daily partitions';
    END IF;
    EXECUTE format('ALTER TABLE %I RENAME TO %I', name, name || '_partitioned');
    EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', name, name || '_partitioned');
    EXECUTE format('DROP TABLE %I', name || '_partitioned');
    EXECUTE format('SELECT %s.create_hypertable(%L::regclass, %L::name, chunk_time_interval => interval %L)',
                   home, name, 'time', '1 day');
    IF current_setting('timescaledb.license', true) IS DISTINCT FROM 'timescale' THEN
        RETURN 'hypertable';
    END IF;
    EXECUTE format('ALTER TABLE %I SET (timescaledb.compress, timescaledb.compress_segmentby = %L)',
                   name, 'instrument');
    EXECUTE format('SELECT %s.add_compression_policy(%L::regclass, interval %L)', home, name, '7 days');
    RETURN 'compressed hypertable';
END $$;

-- Bars of trades, 1 s, named by their start.
CREATE TABLE bars_1s (
    instrument text NOT NULL,
    time timestamptz NOT NULL,
    open float8 NOT NULL,
    high float8 NOT NULL,
    low float8 NOT NULL,
    close float8 NOT NULL,
    volume float8 NOT NULL,               -- base units (linear) or contracts (inverse)
    PRIMARY KEY (instrument, time)
) PARTITION BY RANGE (time);
SELECT keep_by_day('bars_1s');

-- Longer bars, made of what is stored: 1 m of 1 s, the others of 1 m.
CREATE TABLE bars_1m (LIKE bars_1s, PRIMARY KEY (instrument, time));
CREATE TABLE bars_5m (LIKE bars_1s, PRIMARY KEY (instrument, time));
CREATE TABLE bars_1h (LIKE bars_1s, PRIMARY KEY (instrument, time));

-- Feature rows; NaN where a value is not valid.
CREATE TABLE features (
    instrument text NOT NULL,
    sequence bigint NOT NULL,
    time timestamptz NOT NULL,
    event_time_ns bigint NOT NULL,
    schema_hash text NOT NULL,
    feature_values float8[] NOT NULL,     -- in the order of feature_columns
    PRIMARY KEY (instrument, time, sequence)
) PARTITION BY RANGE (time);
SELECT keep_by_day('features');

-- Which value of a feature row is which; positions from 1.
CREATE TABLE feature_columns (
    schema_hash text NOT NULL,
    position int NOT NULL,
    feature text NOT NULL,
    PRIMARY KEY (schema_hash, position),
    UNIQUE (schema_hash, feature)
);

CREATE TABLE predictions (
    instrument text NOT NULL,
    sequence bigint NOT NULL,             -- of the feature row
    time timestamptz NOT NULL,
    event_time_ns bigint NOT NULL,
    model_version text NOT NULL,
    valid boolean NOT NULL,
    action smallint NOT NULL,
    action_probabilities float8[] NOT NULL,
    regime_probabilities float8[] NOT NULL,
    PRIMARY KEY (instrument, time, sequence, model_version)
) PARTITION BY RANGE (time);
SELECT keep_by_day('predictions');

CREATE TABLE decisions (
    decision_id text PRIMARY KEY,
    sequence bigint NOT NULL,
    time timestamptz NOT NULL,
    event_time_ns bigint NOT NULL,
    risk_epoch bigint NOT NULL,
    intent_id text NOT NULL,
    instrument text NOT NULL,
    approved boolean NOT NULL,
    reasons jsonb NOT NULL                -- why not: code, limit, observed, message
);
CREATE INDEX ON decisions (instrument, time);

CREATE TABLE orders (
    client_order_id text PRIMARY KEY,
    decision_id text NOT NULL,
    venue_order_id text NOT NULL,
    instrument text NOT NULL,
    time timestamptz NOT NULL,            -- when it was made
    side text NOT NULL,
    status text NOT NULL,
    quantity numeric NOT NULL,
    filled_quantity numeric NOT NULL,
    average_price numeric,
    fees numeric NOT NULL,
    fee_asset text NOT NULL,
    report_sequence bigint NOT NULL       -- of the last report in this row
);
CREATE INDEX ON orders (instrument, time);

CREATE TABLE fills (
    instrument text NOT NULL,
    trade_id text NOT NULL,
    time timestamptz NOT NULL,
    event_time_ns bigint NOT NULL,
    client_order_id text NOT NULL,
    report_sequence bigint NOT NULL,
    side text NOT NULL,
    quantity numeric NOT NULL,
    price numeric NOT NULL,
    fee numeric NOT NULL,
    fee_asset text NOT NULL,
    maker boolean NOT NULL,
    PRIMARY KEY (instrument, trade_id)
);
CREATE INDEX ON fills (instrument, time);

CREATE TABLE positions (
    instrument text NOT NULL,
    time timestamptz NOT NULL,
    quantity numeric NOT NULL,            -- short is negative
    entry_price numeric,
    mark_price numeric,
    unrealised_pnl numeric NOT NULL,
    realised_pnl numeric NOT NULL,
    fees numeric NOT NULL,
    PRIMARY KEY (instrument, time)
) PARTITION BY RANGE (time);
SELECT keep_by_day('positions');

CREATE TABLE equity (
    asset text NOT NULL,
    time timestamptz NOT NULL,
    balance numeric NOT NULL,
    unrealised_pnl numeric NOT NULL,
    equity numeric NOT NULL,
    drawdown_day numeric NOT NULL,
    drawdown_week numeric NOT NULL,
    PRIMARY KEY (asset, time)
);

CREATE TABLE audit (
    sequence bigint PRIMARY KEY,
    time timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    operator text NOT NULL,
    action text NOT NULL,
    reason text NOT NULL,
    subject text NOT NULL,
    details text NOT NULL
);
CREATE INDEX ON audit (time);

-- Execution's journal. The reports are the truth, numbered without holes; an order's row is the bytes that it was made
-- from, its single-use keys, and its latest state for people and other services to read.

CREATE TABLE orders (
    client_order_id text PRIMARY KEY,
    decision_id text NOT NULL UNIQUE,
    nonce bytea NOT NULL UNIQUE,
    instrument text NOT NULL,
    order_bytes bytea NOT NULL,
    approval_expires_at_ns bigint NOT NULL,
    status text NOT NULL,
    filled_quantity numeric NOT NULL,
    average_price numeric,
    fees numeric NOT NULL,
    fee_asset text NOT NULL,
    venue_order_id text NOT NULL,
    created_at_ns bigint NOT NULL,
    updated_at_ns bigint NOT NULL,
    report_sequence bigint NOT NULL,
    message text NOT NULL
);

CREATE TABLE reports (
    sequence bigint PRIMARY KEY,
    event_time_ns bigint NOT NULL,
    kind text NOT NULL,
    client_order_id text NOT NULL,
    decision_id text NOT NULL,
    instrument text NOT NULL,
    trade_id text,
    report bytea NOT NULL
);

-- A trade is counted once, and a decision is given up once, whatever happens to the process.
CREATE UNIQUE INDEX reports_trade ON reports (instrument, trade_id) WHERE trade_id IS NOT NULL;
CREATE UNIQUE INDEX reports_not_sent ON reports (decision_id) WHERE kind = 'NOT_SENT';
CREATE INDEX reports_client_order_id ON reports (client_order_id);

-- One row: who this journal is, and how far event time has come.
CREATE TABLE journal (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    journal_id uuid NOT NULL DEFAULT gen_random_uuid(),
    event_time_ns bigint NOT NULL DEFAULT 0
);
INSERT INTO journal DEFAULT VALUES;

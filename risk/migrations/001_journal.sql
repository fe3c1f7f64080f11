-- What risk decided, saw and was told. Everything here is written before it takes effect.

-- Every decision, allowed or refused, in order and without holes.
CREATE TABLE decisions (
    sequence          bigint PRIMARY KEY,
    decision_id       text NOT NULL UNIQUE,
    intent_id         text NOT NULL UNIQUE,
    intent            bytea NOT NULL,          -- serialised OrderIntent, as received
    approved          boolean NOT NULL,
    order_bytes       bytea NOT NULL,          -- serialised Order as decided on: what is signed
    reasons           bytea NOT NULL,          -- serialised Veto; empty where approved
    event_time_ns     bigint NOT NULL,
    risk_epoch        bigint NOT NULL,
    report_sequence   bigint NOT NULL,         -- last execution report that the decision rests on
    signed_approval   bytea NOT NULL,          -- serialised SignedApproval; empty where refused
    expires_at_ns     bigint NOT NULL,         -- 0 where refused
    reserved_quantity numeric NOT NULL,
    worst_price       numeric NOT NULL,
    reserved_notional numeric NOT NULL
);

-- Equity of each settlement asset at each observed tick of event time.
CREATE TABLE equity (
    event_time_ns     bigint NOT NULL,
    asset             text NOT NULL,
    balance           numeric NOT NULL,
    unrealised_pnl    numeric NOT NULL,
    equity            numeric NOT NULL,
    high_water_day    numeric NOT NULL,
    high_water_week   numeric NOT NULL,
    drawdown_day      numeric NOT NULL,
    drawdown_week     numeric NOT NULL,
    PRIMARY KEY (event_time_ns, asset)
);

-- High-water marks as they stand; a resume starts them anew.
CREATE TABLE high_water (
    asset             text PRIMARY KEY,
    day               bigint NOT NULL,
    week              bigint NOT NULL,
    high_day          numeric NOT NULL,
    high_week         numeric NOT NULL,
    equity            numeric NOT NULL
);

-- Drawdown latches that hold; a resume removes them.
CREATE TABLE latches (
    sequence          bigint GENERATED ALWAYS AS IDENTITY,
    asset             text NOT NULL,
    period            text NOT NULL,
    drawdown          numeric NOT NULL,
    drawdown_limit    numeric NOT NULL,
    event_time_ns     bigint NOT NULL,
    PRIMARY KEY (asset, period)
);

-- Who did what and why.
CREATE TABLE audit (
    sequence          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_time_ns     bigint NOT NULL,
    recorded_at_ns    bigint NOT NULL,
    action            text NOT NULL,
    operator          text NOT NULL,
    reason            text NOT NULL,
    subject           text NOT NULL,
    details           text NOT NULL
);

-- The one row of what is in force.
CREATE TABLE state (
    only_row          boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    risk_epoch        bigint NOT NULL DEFAULT 0,
    operator_state    text NOT NULL DEFAULT 'ACTIVE',
    limits_version    text NOT NULL DEFAULT '',
    report_sequence   bigint NOT NULL DEFAULT 0,
    market            bytea NOT NULL DEFAULT ''   -- serialised ObserveMarketRequest with the latest top of each instrument
);
INSERT INTO state DEFAULT VALUES;

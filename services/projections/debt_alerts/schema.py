"""The tables of the alerts: what a rebuild makes anew from the log, and what was delivered, which it never does.

The first are in the schema that the connection's search_path names first; the second are always in `projections`, so
a replay or a rebuild, which makes the same alerts, delivers nothing twice.
"""

TABLES = ("alert_account", "alert")

SCHEMA = """
-- One row an account, so that a batch reads and writes each account it touches once. next_at: when time alone may
-- change something.
CREATE TABLE IF NOT EXISTS alert_account (
    account_id text COLLATE "C" PRIMARY KEY,
    watched    json NOT NULL,
    next_at    timestamptz
);
CREATE INDEX IF NOT EXISTS alert_account_next ON alert_account (next_at) WHERE next_at IS NOT NULL;

CREATE TABLE IF NOT EXISTS alert (
    account_id    text COLLATE "C" NOT NULL,
    kind          text COLLATE "C" NOT NULL,
    episode       integer NOT NULL,
    opened_at     timestamptz NOT NULL,
    updated_at    timestamptz NOT NULL,
    closed_at     timestamptz,
    position      bigint NOT NULL,
    details       json NOT NULL,
    PRIMARY KEY (account_id, kind, episode)
);
CREATE INDEX IF NOT EXISTS alert_newest ON alert (opened_at, account_id, kind, episode);
CREATE INDEX IF NOT EXISTS alert_open ON alert (opened_at, account_id, kind, episode) WHERE closed_at IS NULL;

"""

BESIDE = """
-- How far changes are recorded in each log; all rows are made at once. What rests on events up to `position` is
-- recorded, or lies before the alerts began and is never delivered.
CREATE TABLE IF NOT EXISTS projections.alert_frontier (
    log            integer PRIMARY KEY,
    position       bigint NOT NULL,
    began_position bigint NOT NULL,
    began_at       timestamptz NOT NULL
) WITH (fillfactor = 50);

-- The number of the last change. The row is locked up to the commit, so numbers are gapless and in commit order.
CREATE TABLE IF NOT EXISTS projections.alert_numbering (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    number   bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);
INSERT INTO projections.alert_numbering DEFAULT VALUES ON CONFLICT DO NOTHING;

CREATE TABLE IF NOT EXISTS projections.alert_change (
    number     bigint PRIMARY KEY,
    id         uuid NOT NULL,
    account_id text COLLATE "C" NOT NULL,
    kind       text COLLATE "C" NOT NULL,
    episode    integer NOT NULL,
    change     integer NOT NULL,
    at         timestamptz NOT NULL,
    type       text NOT NULL,
    payload    json NOT NULL,
    UNIQUE (account_id, kind, episode, change, at)
);

-- The last change that JetStream has acknowledged; since when nothing can be published, and why.
CREATE TABLE IF NOT EXISTS projections.alert_publication (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    number   bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);
ALTER TABLE projections.alert_publication
    ADD COLUMN IF NOT EXISTS hindrance text,
    ADD COLUMN IF NOT EXISTS hindered_at timestamptz;
INSERT INTO projections.alert_publication DEFAULT VALUES ON CONFLICT DO NOTHING;

-- Up to which change an endpoint's deliveries are written down.
CREATE TABLE IF NOT EXISTS projections.alert_endpoint (
    url    text COLLATE "C" PRIMARY KEY,
    number bigint NOT NULL
) WITH (fillfactor = 50);

-- Without next_attempt_at there will be none: it is delivered, or given up.
CREATE TABLE IF NOT EXISTS projections.alert_delivery (
    endpoint        text COLLATE "C" NOT NULL REFERENCES projections.alert_endpoint,
    number          bigint NOT NULL REFERENCES projections.alert_change,
    enqueued_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    attempts        integer NOT NULL DEFAULT 0,
    last_status     integer,
    last_error      text,
    next_attempt_at timestamptz DEFAULT clock_timestamp(),
    delivered_at    timestamptz,
    given_up_at     timestamptz,
    PRIMARY KEY (endpoint, number),
    CHECK (num_nonnulls(next_attempt_at, delivered_at, given_up_at) = 1)
);
CREATE INDEX IF NOT EXISTS alert_delivery_next ON projections.alert_delivery (endpoint, next_attempt_at)
    WHERE next_attempt_at IS NOT NULL;
"""

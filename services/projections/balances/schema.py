"""The tables of the balances projection, in whatever schema the connection's search_path names first."""

TABLES = (
    "account", "customer", "customer_data", "lot", "tenure", "movement", "suspension", "plan", "plan_change",
    "day_total", "week_movement",
)  # fmt: skip

TOTALS = """
    SELECT
        (SELECT sum(owed_minutes) FROM account) AS owed_minutes,
        (SELECT count(*) FROM account WHERE suspended) AS suspended_accounts,
        (SELECT sum(planned_minutes) FROM account) AS planned_minutes,
        (SELECT sum(remaining_minutes) FROM lot) AS remaining_minutes,
        (SELECT sum(price_kopecks) FROM lot) AS price_kopecks,
        (SELECT sum(extract(epoch FROM ends_at)) FROM lot) AS ends,
        (SELECT sum(minutes) FROM movement) AS moved_minutes,
        (SELECT sum(amount_kopecks) FROM movement) AS moved_kopecks
"""

SCHEMA = """
-- One row an account: what a list of accounts needs as of now. held_minutes is right until next_expiry_at, when the
-- first of these hours will be gone; from then on until the ledger has recorded that, whoever reads looks at the lots.
-- position: of the last event that moved hours, or changed who holds them until when.
CREATE TABLE IF NOT EXISTS account (
    account_id      text COLLATE "C" PRIMARY KEY,
    customer_name   text NOT NULL,
    contract_number text NOT NULL,
    held_minutes    bigint NOT NULL DEFAULT 0,
    owed_minutes    bigint NOT NULL DEFAULT 0,
    planned_minutes bigint NOT NULL DEFAULT 0,
    balance_minutes bigint GENERATED ALWAYS AS (held_minutes - owed_minutes) STORED,
    next_expiry_at  timestamptz NOT NULL DEFAULT 'infinity',
    suspended       boolean NOT NULL DEFAULT false,
    position        bigint NOT NULL DEFAULT 0,
    CONSTRAINT a_debt_is_never_below_nothing CHECK (owed_minutes >= 0),
    CONSTRAINT a_plan_is_never_below_nothing CHECK (planned_minutes >= 0)
) WITH (fillfactor = 80);
CREATE INDEX IF NOT EXISTS account_in_debt ON account (account_id) WHERE balance_minutes < 0;
CREATE INDEX IF NOT EXISTS account_suspended ON account (account_id) WHERE suspended;
CREATE INDEX IF NOT EXISTS account_by_name ON account (customer_name, account_id);
CREATE INDEX IF NOT EXISTS account_by_balance ON account (balance_minutes, account_id);
CREATE INDEX IF NOT EXISTS account_by_expiry ON account (next_expiry_at, account_id);

-- What an account's customer was said to be, when it was opened ('-infinity') and by each change; null where a change
-- leaves it. In force is, of each column, what holds from the latest day on, of one day what was recorded last.
CREATE TABLE IF NOT EXISTS customer_data (
    account_id      text COLLATE "C" NOT NULL,
    position        bigint NOT NULL,
    effective_on    date NOT NULL,
    customer_name   text,
    contract_number text,
    contract_date   date,
    requisites      text,
    PRIMARY KEY (account_id, position)
);

-- What is in force of an account's customer, which no movement touches, so that its indexes cost nothing while hours
-- move. folded: name and contract number as searches compare them; grams: all its pieces of up to three letters.
CREATE TABLE IF NOT EXISTS customer (
    account_id    text COLLATE "C" PRIMARY KEY REFERENCES account,
    opened_at     timestamptz NOT NULL,
    contract_date date NOT NULL,
    requisites    text,
    folded        text COLLATE "C" NOT NULL,
    grams         text[] COLLATE "C" NOT NULL
);
CREATE INDEX IF NOT EXISTS customer_by_gram ON customer USING gin (grams) WITH (fastupdate = off);

-- package_ends_at: up to when its own package holds it. ends_at: when its hours will be gone, the successors known so
-- far included (rule 7.5). unbooked_kopecks: the money of what remains (rule 4.4). remaining_minutes is not indexed, so
-- that a draw touches no index of this table.
CREATE TABLE IF NOT EXISTS lot (
    account_id        text COLLATE "C" NOT NULL REFERENCES account,
    lot_id            text COLLATE "C" NOT NULL,
    plan              text,
    size_minutes      bigint NOT NULL,
    price_kopecks     bigint NOT NULL,
    agreed            text,
    starts_at         timestamptz NOT NULL,
    package_ends_at   timestamptz NOT NULL,
    ends_at           timestamptz NOT NULL,
    remaining_minutes bigint NOT NULL DEFAULT 0,
    unbooked_kopecks  bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (account_id, lot_id),
    CONSTRAINT a_lot_holds_between_nothing_and_its_size CHECK (remaining_minutes BETWEEN 0 AND size_minutes)
) WITH (fillfactor = 80);
CREATE INDEX IF NOT EXISTS lot_ending ON lot (ends_at, account_id);

-- The plans that stand (rule 15), and by how much each event changed the time planned on its account: planned was what
-- was recorded by then, whatever the events' effect.
CREATE TABLE IF NOT EXISTS plan (
    account_id       text COLLATE "C" NOT NULL REFERENCES account,
    task_id          text COLLATE "C" NOT NULL,
    planned_minutes  bigint NOT NULL,
    PRIMARY KEY (account_id, task_id)
) WITH (fillfactor = 70);

CREATE TABLE IF NOT EXISTS plan_change (
    account_id  text COLLATE "C" NOT NULL,
    position    bigint NOT NULL,
    recorded_at timestamptz NOT NULL,
    minutes     bigint NOT NULL,
    PRIMARY KEY (account_id, position)
);

-- Who held what, as it became known.
CREATE TABLE IF NOT EXISTS tenure (
    account_id  text COLLATE "C" NOT NULL,
    position    bigint NOT NULL,
    ordinal     integer NOT NULL,
    recorded_at timestamptz NOT NULL,
    kind        text NOT NULL CHECK (kind IN ('held', 'succeeded', 'expired')),
    subject_id  text COLLATE "C" NOT NULL,
    package_id  text COLLATE "C",
    ends_at     timestamptz,
    PRIMARY KEY (account_id, position, ordinal)
);

-- Minutes of a lot, or of the debt where lot_id is null; with both times, and never changed.
CREATE TABLE IF NOT EXISTS movement (
    account_id     text COLLATE "C" NOT NULL,
    effective_at   timestamptz NOT NULL,
    position       bigint NOT NULL,
    ordinal        integer NOT NULL,
    recorded_at    timestamptz NOT NULL,
    event_id       text NOT NULL,
    type           text NOT NULL,
    lot_id         text COLLATE "C",
    minutes        bigint NOT NULL,
    amount_kopecks bigint NOT NULL,
    task_id        text,
    closure        integer,
    PRIMARY KEY (account_id, effective_at, position, ordinal)
);

-- The movements of each week (of UTC, counted from 1970 on) summed up by lot, so that a balance of a past day is not a
-- sum over everything; '' stands for the debt.
CREATE TABLE IF NOT EXISTS week_movement (
    account_id text COLLATE "C" NOT NULL,
    week       integer NOT NULL,
    lot_id     text COLLATE "C" NOT NULL,
    minutes    bigint NOT NULL,
    PRIMARY KEY (account_id, week, lot_id)
) WITH (fillfactor = 70);

-- What moved on each of the seller's days, over all accounts, by effect and not by booking. Hours that end are not in
-- here: lots know their ends.
CREATE TABLE IF NOT EXISTS day_total (
    day            date NOT NULL,
    kind           text NOT NULL,
    minutes        bigint NOT NULL,
    owed_minutes   bigint NOT NULL,
    amount_kopecks bigint NOT NULL,
    paid_kopecks   bigint NOT NULL,
    PRIMARY KEY (day, kind)
) WITH (fillfactor = 50);

CREATE TABLE IF NOT EXISTS suspension (
    account_id   text COLLATE "C" NOT NULL,
    position     bigint NOT NULL,
    recorded_at  timestamptz NOT NULL,
    effective_at timestamptz NOT NULL,
    suspended    boolean NOT NULL,
    PRIMARY KEY (account_id, position)
);
"""

"""The tables of the monthly reports, in whatever schema the connection's search_path names first."""

TABLES = (
    "report_customer", "report_lot", "report_tenure", "report_closing", "report_plan", "report_entry",
    "report_month", "report_frozen", "report_total",
)  # fmt: skip

TOTALS = """
    SELECT
        sum(minutes) AS minutes,
        sum(balance_minutes) AS balance_minutes,
        sum(amount_kopecks) AS amount_kopecks,
        sum(worked_minutes) AS worked_minutes,
        sum(charged_minutes) AS charged_minutes
    FROM report_entry
"""

SCHEMA = """
-- What an account's customer was said to be, when it was opened ('-infinity') and by each change; null where a change
-- leaves it. In force on a day is, of each column, what holds from the latest day up to it on, of one day what was
-- recorded last.
CREATE TABLE IF NOT EXISTS report_customer (
    account_id      text COLLATE "C" NOT NULL,
    position        bigint NOT NULL,
    recorded_at     timestamptz NOT NULL,
    effective_on    date NOT NULL,
    customer_name   text,
    contract_number text,
    contract_date   date,
    requisites      jsonb,
    PRIMARY KEY (account_id, position)
);

-- What a line says of a lot: a compensation has no plan and no price of its own, but the closing it makes up for; a
-- package whose price was agreed as a whole has no price of an hour.
CREATE TABLE IF NOT EXISTS report_lot (
    account_id         text COLLATE "C" NOT NULL,
    lot_id             text COLLATE "C" NOT NULL,
    plan               text,
    hour_price_kopecks bigint,
    agreed             jsonb,
    ends_at            timestamptz NOT NULL,
    task_id            text,
    closure            integer,
    PRIMARY KEY (account_id, lot_id),
    CHECK (hour_price_kopecks IS NULL OR task_id IS NULL)
);

-- Who holds which lot until when, as balances follow it.
CREATE TABLE IF NOT EXISTS report_tenure (
    account_id    text COLLATE "C" NOT NULL,
    position      bigint NOT NULL,
    ordinal       integer NOT NULL,
    booking_month text COLLATE "C" NOT NULL,
    recorded_at   timestamptz NOT NULL,
    kind          text NOT NULL,
    subject_id    text NOT NULL,
    package_id    text,
    ends_at       timestamptz,
    PRIMARY KEY (account_id, position, ordinal)
);

CREATE TABLE IF NOT EXISTS report_closing (
    account_id   text COLLATE "C" NOT NULL,
    task_id      text COLLATE "C" NOT NULL,
    closure      integer NOT NULL,
    title        text NOT NULL,
    category     text NOT NULL,
    coefficient  text NOT NULL,
    effective_at timestamptz NOT NULL,
    work         text NOT NULL,
    estimated_minutes bigint,
    PRIMARY KEY (account_id, task_id, closure)
);

-- What each task was expected to take, by its last plan that was not dropped (rule 15.3).
CREATE TABLE IF NOT EXISTS report_plan (
    account_id        text COLLATE "C" NOT NULL,
    task_id           text COLLATE "C" NOT NULL,
    estimated_minutes bigint NOT NULL,
    PRIMARY KEY (account_id, task_id)
) WITH (fillfactor = 70);

-- Bookings, never changed; a month's are read by its key, whatever else there is.
CREATE TABLE IF NOT EXISTS report_entry (
    account_id         text COLLATE "C" NOT NULL,
    booking_month      text COLLATE "C" NOT NULL,
    position           bigint NOT NULL,
    ordinal            integer NOT NULL,
    recorded_at        timestamptz NOT NULL,
    effective_at       timestamptz NOT NULL,
    kind               text NOT NULL,
    minutes            bigint NOT NULL,
    balance_minutes    bigint NOT NULL,
    amount_kopecks     bigint NOT NULL,
    task_id            text,
    closure            integer,
    lot_id             text,
    to_package_id      text,
    worked_minutes     bigint NOT NULL,
    charged_minutes    bigint NOT NULL,
    payment_reference  text,
    hour_price_kopecks bigint,
    other_closure      integer,
    PRIMARY KEY (account_id, booking_month, position, ordinal)
);

-- The sums of all accounts' bookings.
CREATE TABLE IF NOT EXISTS report_total (
    month           text COLLATE "C" NOT NULL,
    kind            text NOT NULL,
    minutes         bigint NOT NULL,
    balance_minutes bigint NOT NULL,
    amount_kopecks  bigint NOT NULL,
    charged_minutes bigint NOT NULL,
    PRIMARY KEY (month, kind)
) WITH (fillfactor = 50);

-- Up to which month an account was closed, as it became known, and of which months the event froze the figures.
CREATE TABLE IF NOT EXISTS report_month (
    account_id     text COLLATE "C" NOT NULL,
    position       bigint NOT NULL,
    recorded_at    timestamptz NOT NULL,
    month          text COLLATE "C" NOT NULL,
    closed         boolean NOT NULL,
    rules_edition  integer NOT NULL,
    frozen_months  text[] COLLATE "C" NOT NULL,
    PRIMARY KEY (account_id, position)
);

-- With which figures the event at that position closed the month.
CREATE TABLE IF NOT EXISTS report_frozen (
    account_id  text COLLATE "C" NOT NULL,
    month       text COLLATE "C" NOT NULL,
    position    bigint NOT NULL,
    report_hash text NOT NULL,
    PRIMARY KEY (account_id, month, position)
);
"""

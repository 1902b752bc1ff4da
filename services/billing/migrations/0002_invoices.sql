-- Invoices as they were issued, and what became of each. Rows are added and never changed.
CREATE TABLE billing.invoice (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    number text NOT NULL UNIQUE,
    seller text NOT NULL,
    seller_number integer NOT NULL CHECK (seller_number > 0),
    year integer NOT NULL,
    number_of_year integer NOT NULL CHECK (number_of_year > 0),
    account_id text NOT NULL,
    idempotency_key text NOT NULL,
    fingerprint bytea NOT NULL,
    issued_at timestamptz NOT NULL,
    issued_on date NOT NULL,
    valid_through date NOT NULL,
    actor text NOT NULL,
    customer_inn text,
    package_id text,
    debt_minutes bigint,
    total_kopecks bigint NOT NULL,
    content_version integer NOT NULL,
    content jsonb NOT NULL,
    UNIQUE (seller, year, number_of_year),
    UNIQUE (account_id, idempotency_key)
);
CREATE INDEX invoice_of_account ON billing.invoice (account_id, id);
CREATE INDEX invoice_of_package ON billing.invoice (account_id, package_id);

-- It ends in one way or in both, for a withdrawn one may be paid all the same: then it is paid.
CREATE TABLE billing.invoice_end (
    invoice_id bigint NOT NULL REFERENCES billing.invoice,
    state text NOT NULL CHECK (state IN ('paid', 'withdrawn')),
    at timestamptz NOT NULL,
    actor text NOT NULL,
    reason text,
    event_id text,
    PRIMARY KEY (invoice_id, state)
);

-- The bytes of an invoice in each form and language, from the first time on that somebody asked for them.
CREATE TABLE billing.invoice_document (
    invoice_id bigint NOT NULL REFERENCES billing.invoice,
    form text NOT NULL,
    lang text NOT NULL,
    sha256 bytea NOT NULL REFERENCES billing.document,
    PRIMARY KEY (invoice_id, form, lang)
);

-- How far each log has been read for purchases and payments.
CREATE TABLE billing.log_place (
    log integer PRIMARY KEY,
    position bigint NOT NULL,
    event_id text NOT NULL
);

GRANT SELECT, INSERT ON billing.invoice, billing.invoice_end, billing.invoice_document TO hourbook_billing;
GRANT SELECT, INSERT, UPDATE ON billing.log_place TO hourbook_billing;

-- States of accounts with long histories, so that opening one reads a state and a tail. A pure cache: it may be
-- emptied at any time, and a row made by another program is passed over.
CREATE TABLE ledger.snapshot (
    log_id integer NOT NULL,
    account_id text NOT NULL,
    program text NOT NULL,
    version integer NOT NULL,
    recorded_at timestamptz NOT NULL,
    state bytea NOT NULL,
    PRIMARY KEY (log_id, account_id)
);
ALTER TABLE ledger.snapshot ALTER COLUMN state SET STORAGE EXTERNAL; -- compressed already

GRANT SELECT, INSERT, UPDATE, DELETE ON ledger.snapshot TO hourbook_ledger;

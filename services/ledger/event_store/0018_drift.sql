-- What connectors say of the portals that work comes from, beside the log: each comparison of a month, kept for ever,
-- and the state of each portal, by the key of its connector.
CREATE TABLE ledger.drift (
    month text NOT NULL,
    compared_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    actor text NOT NULL,
    differing integer NOT NULL,
    comparison json NOT NULL,
    PRIMARY KEY (month, compared_at)
);
CREATE TABLE ledger.portal (
    actor text PRIMARY KEY,
    reported_at timestamptz NOT NULL DEFAULT now(),
    state json NOT NULL
);
GRANT SELECT, INSERT ON ledger.drift TO hourbook_ledger;
GRANT SELECT, INSERT, UPDATE ON ledger.portal TO hourbook_ledger;

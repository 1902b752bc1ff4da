-- Of which trace an event's command was, where operators trace: beside the events and under none of their hashes. Nothing
-- rests on it: rows may be deleted at any time, and one may be of an event that was never recorded.
CREATE TABLE ledger.trace (
    log_id integer NOT NULL,
    event_id uuid NOT NULL,
    traceparent text NOT NULL,
    PRIMARY KEY (log_id, event_id)
);
GRANT SELECT, INSERT ON ledger.trace TO hourbook_ledger;
GRANT SELECT ON ledger.trace TO hourbook_relay;

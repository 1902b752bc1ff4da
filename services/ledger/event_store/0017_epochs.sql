-- How often the ledger has begun anew after a restore of its database. The log of access has the signed records; this is
-- what every append looks at, wherever its log is. No row: the first epoch.
CREATE TABLE ledger.epoch (
    number integer PRIMARY KEY CHECK (number > 1)
);

-- Positions that somebody outside of the database knows, and that a log does not have any more, as after a restore: while
-- one of this epoch stands, nothing is appended. Notices, not evidence: `hourbook restored` deletes them.
CREATE TABLE ledger.lost_past (
    log_id integer NOT NULL,
    epoch integer NOT NULL,
    position bigint NOT NULL,
    PRIMARY KEY (log_id, epoch, position)
);

GRANT SELECT ON ledger.epoch TO hourbook_ledger, hourbook_relay, hourbook_signer, hourbook_auditor;
GRANT INSERT ON ledger.epoch TO hourbook_signer;
GRANT SELECT, INSERT ON ledger.lost_past TO hourbook_ledger, hourbook_relay, hourbook_signer, hourbook_auditor;
GRANT DELETE ON ledger.lost_past TO hourbook_signer;

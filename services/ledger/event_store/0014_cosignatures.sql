-- By which witnesses a checkpoint is cosigned: their signature lines, checked before they are written here.
CREATE TABLE ledger.cosignature (
    log_id integer NOT NULL,
    size bigint NOT NULL,
    witness text NOT NULL,
    line text NOT NULL,
    PRIMARY KEY (log_id, size, witness)
);
GRANT SELECT, INSERT ON ledger.cosignature TO hourbook_ledger;

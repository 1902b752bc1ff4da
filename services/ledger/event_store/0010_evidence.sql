-- Why somebody whose work is evidence (the signer, a witness's messenger) cannot do it now; for health and metrics.
CREATE TABLE ledger.hindrance (
    log_id integer NOT NULL,
    source text NOT NULL,
    sentence text NOT NULL,
    PRIMARY KEY (log_id, source)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON ledger.hindrance TO hourbook_ledger;

-- Whether the faults, if any, are of a read model alone: nothing is signed while a fault of the log stands.
ALTER TABLE ledger.verification ADD COLUMN log_is_sound boolean NOT NULL DEFAULT true;

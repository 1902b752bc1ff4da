-- Whose append it was: the last event of each has a seal, by a key that is not in the database. Events of before have none.
ALTER TABLE ledger.event ADD COLUMN seal bytea;

-- The public keys of seals, as notes that the key of checkpoints has signed. From the first one on nothing is appended
-- without a seal.
CREATE TABLE ledger.seal_key (
    number integer PRIMARY KEY CHECK (number > 0),
    note text NOT NULL
);
CREATE TRIGGER seal_key_is_insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.seal_key
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_audit_change();
ALTER TABLE ledger.seal_key ENABLE ALWAYS TRIGGER seal_key_is_insert_only;
GRANT SELECT, INSERT ON ledger.seal_key TO hourbook_ledger;

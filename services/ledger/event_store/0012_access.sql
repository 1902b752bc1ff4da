-- What is remembered of access is a log of its own, -1, made of what every log is made of. A ledger of several logs keeps
-- it in a partition of its own, as it keeps each of the others.
DO $$
BEGIN
    IF (SELECT relkind FROM pg_class WHERE oid = 'ledger.event'::regclass) = 'p' THEN
        CREATE TABLE ledger.event_access PARTITION OF ledger.event FOR VALUES IN (-1);
        CREATE TRIGGER event_is_insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.event_access
            FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
        ALTER TABLE ledger.event_access ENABLE ALWAYS TRIGGER event_is_insert_only;
    END IF;
END
$$;

-- Who gave the command (rule 17.1). Events of before have no actor, and the hash that they had.
ALTER TABLE ledger.event ADD COLUMN actor text;
DROP FUNCTION IF EXISTS ledger.append(
    integer, text[], integer[], uuid[], text[], bytea[], text[], smallint[], timestamptz[], text[], text[], timestamptz[],
    integer[], text[], bytea[], text[], uuid[]
);
DROP FUNCTION IF EXISTS ledger.leaf_hash(
    integer, bigint, text, integer, uuid, text, text, smallint, timestamptz, text, bytea
);

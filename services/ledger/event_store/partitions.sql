-- A ledger of several logs keeps each in a partition of its own, made at its first start: what is appended, read and
-- vacuumed of one log touches no other's table or index. A ledger of one log has one table, which this replaces while it
-- is empty: with events in it, nothing is dropped. Log -1 has what is remembered of access.
LOCK TABLE ledger.event IN ACCESS EXCLUSIVE MODE;

DO $$
DECLARE
    tables text[] := ARRAY['event'];
    part text;
BEGIN
    IF EXISTS (SELECT FROM ledger.event) THEN
        RAISE EXCEPTION 'ledger.event holds events: it is not replaced by an empty table with partitions'
            USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;

    CREATE TABLE ledger.partitioned_event (LIKE ledger.event INCLUDING CONSTRAINTS) PARTITION BY LIST (log_id);
    DROP TABLE ledger.event;
    ALTER TABLE ledger.partitioned_event RENAME TO event;
    ALTER TABLE ledger.event ADD PRIMARY KEY (log_id, position);
    ALTER TABLE ledger.event ADD CONSTRAINT event_account_version UNIQUE (log_id, account_id, version);
    CREATE UNIQUE INDEX event_command_of_account ON ledger.event (log_id, account_id, command_id)
        WHERE fingerprint IS NOT NULL;

    -- A statement that names a partition fires the partition's trigger, not the table's.
    FOR n IN 0 .. (SELECT number - 1 FROM ledger.logs) LOOP
        EXECUTE format('CREATE TABLE ledger.event_%1$s PARTITION OF ledger.event FOR VALUES IN (%1$s)', n);
        tables := tables || format('event_%s', n);
    END LOOP;
    CREATE TABLE ledger.event_access PARTITION OF ledger.event FOR VALUES IN (-1);
    tables := tables || 'event_access'::text;
    FOREACH part IN ARRAY tables LOOP
        EXECUTE format(
            'CREATE TRIGGER event_is_insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.%1$I '
            'FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change(); '
            'ALTER TABLE ledger.%1$I ENABLE ALWAYS TRIGGER event_is_insert_only', part
        );
    END LOOP;
END
$$;

GRANT SELECT ON ledger.event TO hourbook_ledger, hourbook_relay, hourbook_signer, hourbook_auditor;

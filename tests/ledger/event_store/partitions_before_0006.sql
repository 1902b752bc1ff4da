-- As a first start with several logs made its partitions until migration 0006.
CREATE TABLE ledger.partitioned_event (LIKE ledger.event INCLUDING CONSTRAINTS) PARTITION BY LIST (log_id);
ALTER TABLE ledger.partitioned_event ADD PRIMARY KEY (log_id, position);
ALTER TABLE ledger.partitioned_event ADD CONSTRAINT event_account_version_of_log UNIQUE (log_id, account_id, version);
CREATE UNIQUE INDEX event_command_of_log ON ledger.partitioned_event (log_id, command_id) WHERE fingerprint IS NOT NULL;

DROP TABLE ledger.event;
ALTER TABLE ledger.partitioned_event RENAME TO event;

-- A statement that names a partition fires the partition's trigger, not the table's.
DO $$
DECLARE
    tables text[] := ARRAY['event'];
    part text;
BEGIN
    FOR n IN 0 .. (SELECT number - 1 FROM ledger.logs) LOOP
        EXECUTE format('CREATE TABLE ledger.event_%1$s PARTITION OF ledger.event FOR VALUES IN (%1$s)', n);
        tables := tables || format('event_%s', n);
    END LOOP;
    FOREACH part IN ARRAY tables LOOP
        EXECUTE format(
            'CREATE TRIGGER event_is_insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.%1$I '
            'FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change(); '
            'ALTER TABLE ledger.%1$I ENABLE ALWAYS TRIGGER event_is_insert_only', part
        );
    END LOOP;
END
$$;

GRANT SELECT, INSERT ON ledger.event TO hourbook_ledger;

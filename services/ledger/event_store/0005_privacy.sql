-- What is personal stands beside the log: events hold salted commitments to it, so that it can be erased and every proof
-- still holds. services/auditing/handed_out/FORMAT.md says what a commitment is.
CREATE TABLE ledger.personal (
    log_id integer NOT NULL,
    position bigint NOT NULL, -- of the event that holds the commitment
    commitment text NOT NULL,
    salt bytea NOT NULL,
    text text NOT NULL,
    PRIMARY KEY (log_id, position, commitment)
);
-- Or ANALYZE would keep some of them in the statistics.
ALTER TABLE ledger.personal ALTER COLUMN salt SET STATISTICS 0, ALTER COLUMN text SET STATISTICS 0;

-- That something was erased, and why; never what.
CREATE TABLE ledger.erasure (
    log_id integer NOT NULL,
    account_id text NOT NULL,
    erased_at timestamptz NOT NULL,
    reason text NOT NULL,
    commitments text[] NOT NULL,
    PRIMARY KEY (log_id, account_id, erased_at)
);

-- As before, and with what is personal: `of_events` says which event of the batch holds each commitment, counted from 1.
-- The defaults let a process of the version before go on until it is replaced.
DROP FUNCTION ledger.append(
    integer, text[], integer[], uuid[], text[], bytea[], text[], smallint[], timestamptz[], text[], text[], timestamptz[]
);
CREATE FUNCTION ledger.append(
    log integer,
    account_ids text[],
    versions integer[],
    event_ids uuid[],
    command_ids text[],
    fingerprints bytea[],
    types text[],
    schema_versions smallint[],
    recorded_ats timestamptz[],
    datas text[],
    due_account_ids text[],
    next_due_ats timestamptz[],
    of_events integer[] DEFAULT '{}',
    commitments text[] DEFAULT '{}',
    salts bytea[] DEFAULT '{}',
    texts text[] DEFAULT '{}'
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    head bigint;
BEGIN
    PERFORM ledger.lock_log(log);
    SELECT coalesce(max(position), 0) INTO head FROM ledger.event WHERE log_id = log;

    INSERT INTO ledger.event
    SELECT log, head + n, account_id, version, event_id, command_id, fingerprint, type, schema_version, recorded_at, data::json,
        ledger.leaf_hash(
            log, head + n, account_id, version, event_id, command_id, type, schema_version, recorded_at, data, fingerprint
        )
    FROM unnest(
        account_ids, versions, event_ids, command_ids, fingerprints, types, schema_versions, recorded_ats, datas
    ) WITH ORDINALITY AS new (
        account_id, version, event_id, command_id, fingerprint, type, schema_version, recorded_at, data, n
    );

    -- The unique key refuses a version that is taken; this refuses one that has no predecessor.
    IF EXISTS (
        SELECT FROM unnest(account_ids, versions) AS new (account_id, version)
        WHERE version > 1 AND (
            SELECT position FROM ledger.event AS e
            WHERE e.log_id = log AND e.account_id = new.account_id AND e.version = new.version - 1 LIMIT 1
        ) IS NULL
    ) THEN
        RAISE EXCEPTION 'an event would follow one that is not in the log' USING ERRCODE = 'foreign_key_violation';
    END IF;

    IF cardinality(due_account_ids) > 0 THEN
        INSERT INTO ledger.due
        SELECT log, account_id, next_due_at FROM unnest(due_account_ids, next_due_ats) AS new (account_id, next_due_at)
        ON CONFLICT (log_id, account_id) DO UPDATE SET next_due_at = excluded.next_due_at;
    END IF;

    IF cardinality(commitments) > 0 THEN
        INSERT INTO ledger.personal
        SELECT log, head + n, commitment, salt, text
        FROM unnest(of_events, commitments, salts, texts) AS new (n, commitment, salt, text);
    END IF;
    RETURN head + 1;
END
$$;

DROP FUNCTION ledger.append_reserved(
    integer, text[], integer[], uuid[], text[], bytea[], text[], smallint[], timestamptz[], text[], text[], timestamptz[],
    text[], integer[]
);
CREATE FUNCTION ledger.append_reserved(
    log integer,
    account_ids text[],
    versions integer[],
    event_ids uuid[],
    command_ids text[],
    fingerprints bytea[],
    types text[],
    schema_versions smallint[],
    recorded_ats timestamptz[],
    datas text[],
    due_account_ids text[],
    next_due_ats timestamptz[],
    keys text[],
    generations integer[],
    of_events integer[] DEFAULT '{}',
    commitments text[] DEFAULT '{}',
    salts bytea[] DEFAULT '{}',
    texts text[] DEFAULT '{}'
) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    PERFORM ledger.lock_log(log);
    IF EXISTS (
        SELECT FROM unnest(keys, generations) AS reserved (key, generation)
        WHERE EXISTS (
            SELECT FROM ledger.revocation AS r
            WHERE r.log_id = log AND r.command_id = reserved.key AND r.generation >= reserved.generation
        )
    ) THEN
        RAISE EXCEPTION 'a key was reserved by another log meanwhile' USING ERRCODE = 'unique_violation';
    END IF;
    RETURN ledger.append(
        log, account_ids, versions, event_ids, command_ids, fingerprints, types, schema_versions, recorded_ats, datas,
        due_account_ids, next_due_ats, of_events, commitments, salts, texts
    );
END
$$;

GRANT SELECT, INSERT, DELETE ON ledger.personal TO hourbook_ledger;
GRANT SELECT, INSERT ON ledger.erasure TO hourbook_ledger;
-- To write the table anew after an erasure.
GRANT MAINTAIN ON ledger.personal TO hourbook_ledger;

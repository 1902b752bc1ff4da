-- The hash of an event, as a leaf of RFC 6962. PostgreSQL's binary form of an array of texts is 20 bytes about the
-- array, and then each text's length in four bytes, big-endian, and its bytes: the very form of a leaf, made in one call.
-- Every parameter stands here once, so that the function is inlined. The texts are in the client's encoding, UTF-8.
CREATE OR REPLACE FUNCTION ledger.leaf_hash(
    log integer, its_position bigint, account text, its_version integer, its_id uuid, command text,
    its_type text, its_schema_version smallint, its_recorded_at timestamptz, its_data text, its_fingerprint bytea
) RETURNS bytea LANGUAGE sql STABLE AS $$
    SELECT sha256('\x00'::bytea || substr(array_send(ARRAY[
        'hourbook event 1', log::text, its_position::text, account, its_version::text, its_id::text, command, its_type,
        its_schema_version::text, (extract(epoch FROM its_recorded_at) * 1000000)::bigint::text, its_data,
        coalesce(encode(its_fingerprint, 'hex'), '')
    ]), 21))
$$;

-- Append events to a log and return the position of the first. To be called as a statement of its own: each statement in
-- here then sees all that was committed before the lock was had.
--
-- `of_events` says which event of the batch holds each commitment, counted from 1; `followed_ids` which event each one
-- follows in its account. The defaults let a process of an earlier version go on until it is replaced.
CREATE OR REPLACE FUNCTION ledger.append(
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
    texts text[] DEFAULT '{}',
    followed_ids uuid[] DEFAULT NULL
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    head bigint;
    latest timestamptz;
BEGIN
    PERFORM ledger.lock_log(log);
    SELECT coalesce(max(position), 0) INTO head FROM ledger.event WHERE log_id = log;

    -- What was known at an instant stays so: nothing is recorded before the last events and the newest checkpoint, by
    -- more than clocks differ. The signer refuses 5 minutes; a minute is for what is under way while it signs.
    SELECT greatest(
        (SELECT max(recorded_at) FROM (
            SELECT recorded_at FROM ledger.event WHERE log_id = log ORDER BY position DESC LIMIT 16
        ) AS last),
        (SELECT substring(note FROM '\nclock (\S+)\n')::timestamptz FROM ledger.checkpoint
         WHERE log_id = log ORDER BY size DESC LIMIT 1)
    ) INTO latest;
    IF latest - interval '4 minutes' > ANY (recorded_ats) THEN
        RAISE EXCEPTION 'recorded at %, and the log has come to %', (SELECT min(at) FROM unnest(recorded_ats) AS at), latest
            USING ERRCODE = 'datetime_field_overflow';
    END IF;

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

    -- The unique key refuses a version that is taken; this refuses one that follows another event than the log has there,
    -- or none: after a restore or a failover, a process may know another past than the log's.
    IF EXISTS (
        SELECT FROM unnest(account_ids, versions, followed_ids) AS new (account_id, version, followed_id)
        WHERE version > 1 AND (
            SELECT e.event_id = new.followed_id OR followed_ids IS NULL FROM ledger.event AS e
            WHERE e.log_id = log AND e.account_id = new.account_id AND e.version = new.version - 1 LIMIT 1
        ) IS NOT TRUE
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

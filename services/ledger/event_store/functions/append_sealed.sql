-- Append events to a log, and return the position of the first and the hashes of all as they are stored. To be called as a
-- statement of its own: each statement in here then sees all that was committed before the lock was had. Nothing else may
-- insert events: it has its owner's rights, and every name in it has its schema.
--
-- `of_events` says which event of the batch holds each commitment, counted from 1; `followed_ids` which event each one
-- follows in its account, `actors` who gave each one's command. `its_seal` is for all of them, by the key of that number;
-- both are null in a ledger without seals. `its_hashes` are those of the events if the log ends at `its_head`.
CREATE OR REPLACE FUNCTION ledger.append_sealed(
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
    of_events integer[],
    commitments text[],
    salts bytea[],
    texts text[],
    followed_ids uuid[],
    actors text[],
    its_seal bytea,
    seal_key_number integer,
    its_head bigint,
    its_hashes bytea,
    OUT first bigint,
    OUT stored_hashes bytea
) LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    head bigint;
    latest timestamptz;
BEGIN
    PERFORM ledger.lock_log(log);
    SELECT coalesce(max(position), 0) INTO head FROM ledger.event WHERE log_id = log;

    -- Only what begins the next epoch is recorded on a log that has lost its end.
    IF types <> '{LedgerRestored}' AND EXISTS (
        SELECT FROM ledger.lost_past WHERE epoch >= (SELECT coalesce(max(number), 1) FROM ledger.epoch)
    ) THEN
        RAISE EXCEPTION 'the log has gone back' USING ERRCODE = 'lock_not_available', HINT = 'hourbook restored';
    END IF;

    IF seal_key_number IS DISTINCT FROM (SELECT max(number) FROM ledger.seal_key) THEN
        RAISE EXCEPTION 'this is not sealed with the key that seals now'
            USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;

    -- What was known at an instant stays so: nothing is recorded before the last events and the newest checkpoint, by
    -- more than clocks differ. The signer refuses 5 minutes; a minute is for what is under way while it signs.
    SELECT greatest(
        (SELECT max(recorded_at) FROM (
            SELECT recorded_at FROM ledger.event WHERE log_id = log AND position > head - 16 ORDER BY position DESC LIMIT 16
        ) AS last),
        (SELECT nullif(split_part(split_part(note, e'\nclock ', 2), e'\n', 1), '')::timestamptz FROM ledger.checkpoint
         WHERE log_id = log ORDER BY size DESC LIMIT 1)
    ) INTO latest;
    IF latest - interval '4 minutes' > ANY (recorded_ats) THEN
        RAISE EXCEPTION 'recorded at %, and the log has come to %', (SELECT min(at) FROM unnest(recorded_ats) AS at), latest
            USING ERRCODE = 'datetime_field_overflow';
    END IF;

    -- What is stored is compared with what was given: a trigger or a rule may have its own mind.
    WITH stored AS (
        INSERT INTO ledger.event (log_id, position, account_id, version, event_id, command_id, fingerprint, type,
            schema_version, recorded_at, data, actor, seal, hash)
        SELECT log, head + n, account_id, version, event_id, command_id, fingerprint, type, schema_version, recorded_at,
            data::json, actor, CASE WHEN n = cardinality(event_ids) THEN its_seal END,
            CASE WHEN head = its_head THEN substr(its_hashes, n::integer * 32 - 31, 32) ELSE ledger.leaf_hash(
                log, head + n, account_id, version, event_id, command_id, type, schema_version, recorded_at, data,
                fingerprint, actor
            ) END
        FROM unnest(
            account_ids, versions, event_ids, command_ids, fingerprints, types, schema_versions, recorded_ats, datas, actors
        ) WITH ORDINALITY AS new (
            account_id, version, event_id, command_id, fingerprint, type, schema_version, recorded_at, data, actor, n
        )
        RETURNING hash, log_id = log AND account_id = account_ids[position - head] AND version = versions[position - head]
            AND event_id = event_ids[position - head] AND command_id = command_ids[position - head]
            AND fingerprint IS NOT DISTINCT FROM fingerprints[position - head] AND type = types[position - head]
            AND schema_version = schema_versions[position - head] AND recorded_at = recorded_ats[position - head]
            AND data::text = datas[position - head] AND actor IS NOT DISTINCT FROM actors[position - head]
            AND seal IS NOT DISTINCT FROM CASE WHEN position - head = cardinality(event_ids) THEN its_seal END AS as_given
    )
    SELECT string_agg(hash, ''::bytea) INTO stored_hashes FROM stored
    HAVING bool_and(as_given) AND count(as_given) = cardinality(event_ids);
    IF stored_hashes IS NULL THEN
        RAISE EXCEPTION 'what is stored is not what was given' USING ERRCODE = 'triggered_data_change_violation';
    END IF;

    -- The unique key refuses a version that is taken; this refuses one that follows another event than the log has there,
    -- or none: after a restore or a failover, a process may know another past than the log's.
    IF EXISTS (
        SELECT FROM unnest(account_ids, versions, followed_ids) AS new (account_id, version, followed_id)
        WHERE version > 1 AND (
            SELECT e.version = new.version - 1 AND (e.event_id = new.followed_id OR followed_ids IS NULL)
            FROM ledger.event AS e WHERE e.log_id = log AND e.account_id = new.account_id AND e.version >= new.version - 1
            ORDER BY e.version LIMIT 1 -- in this order by one index alone: to a young log's statistics all are the same
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
    first := head + 1;
END
$$;
REVOKE EXECUTE ON FUNCTION ledger.append_sealed FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger.append_sealed TO hourbook_ledger;

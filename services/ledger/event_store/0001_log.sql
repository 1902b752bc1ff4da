-- The log. log_id leads every key, so that the tables can be distributed by it.
-- No sequence, no xid, no NOTIFY: position is settled under one advisory lock per log that is held to the end of the
-- commit, so it is gapless and in commit order, and a reader can never skip an event.

CREATE TABLE ledger.event (
    log_id integer NOT NULL,
    position bigint NOT NULL CHECK (position > 0),
    account_id text NOT NULL,
    version integer NOT NULL CHECK (version > 0),
    event_id uuid NOT NULL,
    command_id text NOT NULL,
    fingerprint bytea, -- of the command; only on its first event
    type text NOT NULL,
    schema_version smallint NOT NULL,
    recorded_at timestamptz NOT NULL,
    data json NOT NULL, -- json, not jsonb: the bytes stay as they were written
    PRIMARY KEY (log_id, position),
    CONSTRAINT event_account_version UNIQUE (log_id, account_id, version)
);

-- A command is recorded once: its key is taken by its first event, in the same transaction.
CREATE UNIQUE INDEX event_command ON ledger.event (log_id, command_id) WHERE fingerprint IS NOT NULL;

CREATE FUNCTION ledger.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'events are never changed: % of ledger.event is refused', TG_OP
        USING ERRCODE = 'integrity_constraint_violation', HINT = 'Record a new event that corrects the old one.';
END
$$;

CREATE TRIGGER event_is_insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.event
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
-- Also where session_replication_role silences ordinary triggers.
ALTER TABLE ledger.event ENABLE ALWAYS TRIGGER event_is_insert_only;

-- When each account's next package ends; absent while nothing is left to expire.
CREATE TABLE ledger.due (
    log_id integer NOT NULL,
    account_id text NOT NULL,
    next_due_at timestamptz,
    PRIMARY KEY (log_id, account_id)
);

CREATE INDEX due_next ON ledger.due (log_id, next_due_at, account_id) WHERE next_due_at IS NOT NULL;

-- The sandbox's time. No row: nobody has set it yet, and it follows the real time.
CREATE TABLE ledger.test_clock (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    now timestamptz NOT NULL
);

-- 1213156949 stands for Hourbook's logs among the advisory locks of this database.
CREATE FUNCTION ledger.lock_log(log integer) RETURNS void LANGUAGE sql AS $$
    SELECT pg_advisory_xact_lock(1213156949, log)
$$;

-- Append events to a log and return the position of the first. To be called as a statement of its own: each
-- statement in here then sees all that was committed before the lock was had.
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
    next_due_ats timestamptz[]
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    head bigint;
BEGIN
    PERFORM ledger.lock_log(log);
    SELECT coalesce(max(position), 0) INTO head FROM ledger.event WHERE log_id = log;

    INSERT INTO ledger.event
    SELECT log, head + n, account_id, version, event_id, command_id, fingerprint, type, schema_version, recorded_at, data::json
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
    RETURN head + 1;
END
$$;

-- Where an event is, or null, once every append that began earlier has ended either way.
CREATE FUNCTION ledger.settled_position(log integer, account text, its_version integer, its_id uuid)
RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    PERFORM ledger.lock_log(log);
    RETURN (
        SELECT position FROM ledger.event
        WHERE log_id = log AND account_id = account AND version = its_version AND event_id = its_id
    );
END
$$;

GRANT USAGE ON SCHEMA ledger TO hourbook_ledger;
GRANT SELECT, INSERT ON ledger.event TO hourbook_ledger;
GRANT SELECT, INSERT, UPDATE ON ledger.due, ledger.test_clock TO hourbook_ledger;

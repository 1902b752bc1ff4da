-- What lets the log prove itself: a hash on every event, the tree over them, its signed checkpoints, and the keys that
-- sign. services/auditing/handed_out/FORMAT.md says what each is.

-- The hash of an event, as a leaf of RFC 6962. PostgreSQL's binary form of an array of texts is 20 bytes about the
-- array, and then each text's length in four bytes, big-endian, and its bytes: the very form of a leaf, made in one call.
-- Every parameter stands here once, so that the function is inlined. The texts are in the client's encoding, UTF-8.
CREATE FUNCTION ledger.leaf_hash(
    log integer, its_position bigint, account text, its_version integer, its_id uuid, command text,
    its_type text, its_schema_version smallint, its_recorded_at timestamptz, its_data text, its_fingerprint bytea
) RETURNS bytea LANGUAGE sql STABLE AS $$
    SELECT sha256('\x00'::bytea || substr(array_send(ARRAY[
        'hourbook event 1', log::text, its_position::text, account, its_version::text, its_id::text, command, its_type,
        its_schema_version::text, (extract(epoch FROM its_recorded_at) * 1000000)::bigint::text, its_data,
        coalesce(encode(its_fingerprint, 'hex'), '')
    ]), 21))
$$;

ALTER TABLE ledger.event ADD COLUMN hash bytea;
ALTER TABLE ledger.event DISABLE TRIGGER event_is_insert_only;
UPDATE ledger.event SET hash = ledger.leaf_hash(
    log_id, position, account_id, version, event_id, command_id, type, schema_version, recorded_at, data::text, fingerprint
);
ALTER TABLE ledger.event ENABLE ALWAYS TRIGGER event_is_insert_only;
ALTER TABLE ledger.event ALTER COLUMN hash SET NOT NULL;

-- As before, and with its hash on every event.
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
    next_due_ats timestamptz[]
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
    RETURN head + 1;
END
$$;

-- Which ledger this is, for ever: a checkpoint names it.
CREATE TABLE ledger.identity (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    ledger_id uuid NOT NULL
);
INSERT INTO ledger.identity (ledger_id) VALUES (gen_random_uuid());

-- The public keys, as signed notes. The private one is in a file: who administers the database is not trusted with it.
CREATE TABLE ledger.audit_key (
    number integer PRIMARY KEY CHECK (number > 0),
    note text NOT NULL
);

CREATE TABLE ledger.checkpoint (
    log_id integer NOT NULL,
    size bigint NOT NULL CHECK (size > 0),
    note text NOT NULL,
    PRIMARY KEY (log_id, size)
);

-- C2SP tlog-tiles: 256 hashes of 32 bytes; the last one of each level grows.
CREATE TABLE ledger.tile (
    log_id integer NOT NULL,
    level smallint NOT NULL,
    index bigint NOT NULL,
    hashes bytea NOT NULL,
    PRIMARY KEY (log_id, level, index)
);

-- How far each witness has been told.
CREATE TABLE ledger.witness (
    log_id integer NOT NULL,
    witness text NOT NULL,
    size bigint NOT NULL,
    PRIMARY KEY (log_id, witness)
);

-- What the last verification found; for health and metrics, not evidence.
CREATE TABLE ledger.verification (
    log_id integer PRIMARY KEY,
    size bigint NOT NULL,
    verified_at timestamptz NOT NULL DEFAULT now(),
    faults text[] NOT NULL
);

CREATE FUNCTION ledger.refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'checkpoints and keys are never changed: % of ledger.% is refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
END
$$;
CREATE TRIGGER checkpoint_is_insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.checkpoint
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_audit_change();
ALTER TABLE ledger.checkpoint ENABLE ALWAYS TRIGGER checkpoint_is_insert_only;
CREATE TRIGGER key_is_insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.audit_key
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_audit_change();
ALTER TABLE ledger.audit_key ENABLE ALWAYS TRIGGER key_is_insert_only;

-- Let a log's tree grow from one checkpoint to the next; false if another process was faster, or if the key that signed
-- is not the newest: nothing is written then. 1213156951 stands for Hourbook's trees among the advisory locks.
CREATE FUNCTION ledger.grow_tree(
    log integer, from_size bigint, to_size bigint, key_number integer, its_note text,
    levels smallint[], indexes bigint[], grown bytea[]
) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(1213156951, log);
    IF from_size <> coalesce((SELECT max(size) FROM ledger.checkpoint WHERE log_id = log), 0)
        OR key_number IS DISTINCT FROM (SELECT max(number) FROM ledger.audit_key) THEN
        RETURN false;
    END IF;
    INSERT INTO ledger.tile SELECT log, level, index, hashes FROM unnest(levels, indexes, grown) AS new (level, index, hashes)
    ON CONFLICT (log_id, level, index) DO UPDATE SET hashes = excluded.hashes;
    INSERT INTO ledger.checkpoint VALUES (log, to_size, its_note);
    RETURN true;
END
$$;

GRANT SELECT ON ledger.identity TO hourbook_ledger;
GRANT SELECT, INSERT ON ledger.audit_key, ledger.checkpoint TO hourbook_ledger;
GRANT SELECT, INSERT, UPDATE ON ledger.tile, ledger.witness, ledger.verification TO hourbook_ledger;

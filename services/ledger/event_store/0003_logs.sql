-- Several logs. Nothing here needs a transaction over two of them; services/ledger/reservations.py says how it holds.

-- How many logs there are: what is here was placed by that number, so it never changes.
CREATE TABLE ledger.logs (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    number integer NOT NULL CHECK (number > 0)
);
INSERT INTO ledger.logs (number) SELECT max(log_id) + 1 FROM ledger.event HAVING count(*) > 0;

-- Which log may record the command with a key; kept by the log that the key's own hash names. Empty with one log.
CREATE TABLE ledger.reservation (
    log_id integer NOT NULL,
    command_id text NOT NULL,
    holder integer NOT NULL,
    generation integer NOT NULL DEFAULT 0, -- counts how often it was taken over
    PRIMARY KEY (log_id, command_id)
);

-- Which keys this log may no longer record, unless reserved later than in that generation.
CREATE TABLE ledger.revocation (
    log_id integer NOT NULL,
    command_id text NOT NULL,
    generation integer NOT NULL,
    PRIMARY KEY (log_id, command_id)
);

-- Reserve keys that nobody has reserved yet, and say who holds each. To be called as a statement of its own.
CREATE FUNCTION ledger.reserve(log integer, keys text[], claimant integer)
RETURNS TABLE (command_id text, holder integer, generation integer) LANGUAGE plpgsql AS $$
BEGIN
    -- In one order, so that two who want the same keys do not wait for each other.
    INSERT INTO ledger.reservation AS r SELECT log, key, claimant FROM unnest(keys) AS key ORDER BY key
    ON CONFLICT DO NOTHING;
    RETURN QUERY SELECT r.command_id, r.holder, r.generation FROM ledger.reservation AS r
    WHERE r.log_id = log AND r.command_id = ANY (keys);
END
$$;

-- Keep a log from recording a command that it has not recorded yet; false if it has. An append that is under way is
-- waited for. To be called as a statement of its own.
CREATE FUNCTION ledger.revoke(log integer, key text, its_generation integer) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    PERFORM ledger.lock_log(log);
    IF EXISTS (SELECT FROM ledger.event WHERE log_id = log AND command_id = key AND fingerprint IS NOT NULL) THEN
        RETURN false;
    END IF;
    INSERT INTO ledger.revocation AS r VALUES (log, key, its_generation)
    ON CONFLICT (log_id, command_id) DO UPDATE SET generation = greatest(r.generation, excluded.generation);
    RETURN true;
END
$$;

-- Append as ever, unless one of these keys was revoked since it was reserved. The first argument says where it runs.
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
    generations integer[]
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
        due_account_ids, next_due_ats
    );
END
$$;

GRANT SELECT, INSERT ON ledger.logs TO hourbook_ledger;
GRANT SELECT, INSERT, UPDATE ON ledger.reservation, ledger.revocation TO hourbook_ledger;

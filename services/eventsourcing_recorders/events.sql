-- A log of an application's events, of the same form as Hourbook's own: log_id leads every key, and a position is
-- given under one advisory lock per log that is held to the end of the commit, so it is gapless and in commit order.

DO $$ BEGIN
    IF to_regnamespace({schema_literal}) IS NULL THEN
        CREATE SCHEMA {schema};
    END IF;
END $$;

CREATE TABLE IF NOT EXISTS {events} (
    log_id integer NOT NULL,
    position bigint NOT NULL CHECK (position > 0),
    originator_id {id_type} NOT NULL,
    originator_version bigint NOT NULL,
    append_id uuid NOT NULL, -- tells, after the link broke, whether it was ours that was recorded
    topic text NOT NULL,
    state bytea NOT NULL,
    PRIMARY KEY (log_id, position),
    UNIQUE (log_id, originator_id, originator_version)
);

-- Append events and return the position of the first. Each statement in here sees all that was committed before the
-- lock was had. The settings say that every statement has its index, whatever the statistics of a young table say.
CREATE OR REPLACE FUNCTION {append}(
    log integer, its_append_id uuid, originator_ids {id_type}[], originator_versions bigint[], topics text[], states bytea[]
) RETURNS bigint LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    head bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended({lock_literal}, log));
    SELECT coalesce(max(position), 0) INTO head FROM {events} WHERE log_id = log;

    INSERT INTO {events} (log_id, position, originator_id, originator_version, append_id, topic, state)
    SELECT log, head + n, its_id, its_version, its_append_id, its_topic, its_state
    FROM unnest(originator_ids, originator_versions, topics, states) WITH ORDINALITY
        AS new (its_id, its_version, its_topic, its_state, n);
    RETURN head + 1;
END
$$;

-- Where an event that this append recorded is, or null, once every append that began earlier has ended either way.
CREATE OR REPLACE FUNCTION {settled}(log integer, its_append_id uuid, its_originator_id {id_type}, its_version bigint)
RETURNS bigint LANGUAGE plpgsql SET enable_seqscan = off AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended({lock_literal}, log));
    RETURN (
        SELECT position FROM {events}
        WHERE log_id = log AND originator_id = its_originator_id AND originator_version = its_version
            AND append_id = its_append_id
    );
END
$$;

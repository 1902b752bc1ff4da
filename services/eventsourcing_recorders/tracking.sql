-- How far a follower has got in each application that it follows.

DO $$ BEGIN
    IF to_regnamespace({schema_literal}) IS NULL THEN
        CREATE SCHEMA {schema};
    END IF;
END $$;

CREATE TABLE IF NOT EXISTS {tracking} (
    log_id integer NOT NULL,
    application_name text NOT NULL,
    notification_id bigint NOT NULL,
    PRIMARY KEY (log_id, application_name)
);

-- Move on, or refuse: a worker that another one has overtaken gets an error, and its transaction is undone.
CREATE OR REPLACE FUNCTION {track}(log integer, application text, notification bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO {tracking} AS known (log_id, application_name, notification_id)
    VALUES (log, application, notification)
    ON CONFLICT (log_id, application_name) DO UPDATE SET notification_id = excluded.notification_id
    WHERE known.notification_id < excluded.notification_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'notification % of % was tracked before', notification, application
            USING ERRCODE = 'unique_violation';
    END IF;
END
$$;

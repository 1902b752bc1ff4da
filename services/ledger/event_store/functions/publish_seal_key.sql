-- Publish a key of seals if these logs still end where its note says that they do; false if one has gone on, or if
-- another process was faster: nothing is written then.
CREATE OR REPLACE FUNCTION ledger.publish_seal_key(
    its_number integer, its_note text, logs integer[], heads bigint[]
) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    log integer;
    head bigint;
BEGIN
    FOREACH log IN ARRAY logs LOOP
        PERFORM ledger.lock_log(log);
    END LOOP;
    -- On Citus those are locks of this node alone, and logs have theirs on others. Whoever appends looks at this table, on
    -- its own node: it waits until the key is published, and is waited for.
    IF to_regclass('pg_catalog.pg_dist_node') IS NOT NULL THEN
        PERFORM set_config('citus.enable_ddl_propagation', 'on', true);
        LOCK TABLE ledger.seal_key IN ACCESS EXCLUSIVE MODE;
    END IF;
    IF its_number <> coalesce((SELECT max(number) FROM ledger.seal_key), 0) + 1 THEN
        RETURN false;
    END IF;
    FOR n IN 1 .. cardinality(logs) LOOP
        log := logs[n];
        SELECT coalesce(max(position), 0) INTO head FROM ledger.event WHERE log_id = log;
        IF head <> heads[n] THEN
            RETURN false;
        END IF;
    END LOOP;
    INSERT INTO ledger.seal_key VALUES (its_number, its_note);
    RETURN true;
END
$$;
REVOKE EXECUTE ON FUNCTION ledger.publish_seal_key FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger.publish_seal_key TO hourbook_ledger, hourbook_signer;

-- Publish a key of seals if these logs still end where its note says that they do; false if one has gone on, or if
-- another process was faster: nothing is written then.
CREATE OR REPLACE FUNCTION ledger.publish_seal_key(
    its_number integer, its_note text, logs integer[], heads bigint[]
) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    log integer;
BEGIN
    FOREACH log IN ARRAY logs LOOP
        PERFORM ledger.lock_log(log);
    END LOOP;
    IF its_number <> coalesce((SELECT max(number) FROM ledger.seal_key), 0) + 1 OR EXISTS (
        SELECT FROM unnest(logs, heads) AS said (log_id, head)
        WHERE head <> coalesce((SELECT max(position) FROM ledger.event AS e WHERE e.log_id = said.log_id), 0)
    ) THEN
        RETURN false;
    END IF;
    INSERT INTO ledger.seal_key VALUES (its_number, its_note);
    RETURN true;
END
$$;
REVOKE EXECUTE ON FUNCTION ledger.publish_seal_key FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger.publish_seal_key TO hourbook_ledger, hourbook_signer;

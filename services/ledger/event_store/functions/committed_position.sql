-- Where an event is, or null, once every append that began earlier has ended either way.
CREATE OR REPLACE FUNCTION ledger.committed_position(log integer, account text, its_version integer, its_id uuid)
RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    PERFORM ledger.lock_log(log);
    RETURN (
        SELECT position FROM ledger.event
        WHERE log_id = log AND account_id = account AND version = its_version AND event_id = its_id
    );
END
$$;
REVOKE EXECUTE ON FUNCTION ledger.committed_position FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger.committed_position TO hourbook_ledger;

-- Held to the end of the transaction: appends to a log follow one another. 1213156949 stands for Hourbook's logs among the
-- advisory locks of this database.
CREATE OR REPLACE FUNCTION ledger.lock_log(log integer) RETURNS void LANGUAGE sql AS $$
    SELECT pg_advisory_xact_lock(1213156949, log)
$$;
REVOKE EXECUTE ON FUNCTION ledger.lock_log FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger.lock_log TO hourbook_ledger;

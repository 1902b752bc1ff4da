-- Let a log's tree grow from one checkpoint to the next; false if another process was faster, or if the key that signed
-- is not the newest: nothing is written then. It has its owner's rights, as
-- ledger.append has. 1213156951 stands for Hourbook's trees among the advisory locks.
CREATE OR REPLACE FUNCTION ledger.grow_tree(
    log integer, from_size bigint, to_size bigint, key_number integer, its_note text,
    levels smallint[], indexes bigint[], grown bytea[]
) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
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
REVOKE EXECUTE ON FUNCTION ledger.grow_tree FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger.grow_tree TO hourbook_signer;

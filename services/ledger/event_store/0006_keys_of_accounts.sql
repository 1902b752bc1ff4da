-- Idempotency keys are each account's own (rule 11.2), so no two logs have to agree on one: what kept them one space over
-- several logs goes. None of these tables holds events, and what they hold follows from no event.
DROP FUNCTION ledger.append_reserved(
    integer, text[], integer[], uuid[], text[], bytea[], text[], smallint[], timestamptz[], text[], text[], timestamptz[],
    text[], integer[], integer[], text[], bytea[], text[]
);
DROP FUNCTION ledger.revoke(integer, text, integer);
DROP FUNCTION ledger.reserve(integer, text[], integer);
DROP TABLE ledger.reservation;
DROP TABLE ledger.revocation;

-- A command is recorded once in its account: its key is taken by its first event, in the same transaction.
CREATE UNIQUE INDEX event_command_of_account ON ledger.event (log_id, account_id, command_id)
    WHERE fingerprint IS NOT NULL;
DROP INDEX IF EXISTS ledger.event_command; -- of one log
DROP INDEX IF EXISTS ledger.event_command_of_log; -- of several

-- A partitioned table has the names of one that is not.
DO $$
BEGIN
    IF (SELECT relkind = 'p' FROM pg_class WHERE oid = 'ledger.event'::regclass) THEN
        ALTER TABLE ledger.event RENAME CONSTRAINT partitioned_event_pkey TO event_pkey;
        ALTER TABLE ledger.event RENAME CONSTRAINT event_account_version_of_log TO event_account_version;
    END IF;
END
$$;

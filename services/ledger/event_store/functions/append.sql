-- As processes of an earlier version append: without a seal, and they take the position of the first event for all that
-- there is to know. While they run beside this version, a ledger with seals is to them one that cannot be written.
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
    next_due_ats timestamptz[],
    of_events integer[] DEFAULT '{}',
    commitments text[] DEFAULT '{}',
    salts bytea[] DEFAULT '{}',
    texts text[] DEFAULT '{}',
    followed_ids uuid[] DEFAULT NULL,
    actors text[] DEFAULT NULL
) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM ledger.seal_key) THEN
        RAISE EXCEPTION 'appends to this ledger are sealed: replace this process by one of the present version'
            USING ERRCODE = 'read_only_sql_transaction';
    END IF;
    RETURN first FROM ledger.append_sealed(
        log, account_ids, versions, event_ids, command_ids, fingerprints, types, schema_versions, recorded_ats, datas,
        due_account_ids, next_due_ats, of_events, commitments, salts, texts, followed_ids,
        coalesce(actors, array_fill(NULL::text, ARRAY[cardinality(event_ids)])), NULL, NULL, NULL, NULL
    );
END
$$;
REVOKE EXECUTE ON FUNCTION ledger.append FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger.append TO hourbook_ledger;

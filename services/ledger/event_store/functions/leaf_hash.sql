-- The hash of an event, as a leaf of RFC 6962. PostgreSQL's binary form of an array of texts is 20 bytes about the
-- array, and then each text's length in four bytes, big-endian, and its bytes: the very form of a leaf, made in one call.
-- Every parameter stands here once, so that the function is inlined. Form 2 has the actor, form 1 none. The texts are in the client's encoding, UTF-8.
CREATE OR REPLACE FUNCTION ledger.leaf_hash(
    log integer, its_position bigint, account text, its_version integer, its_id uuid, command text,
    its_type text, its_schema_version smallint, its_recorded_at timestamptz, its_data text, its_fingerprint bytea,
    its_actor text
) RETURNS bytea LANGUAGE sql STABLE AS $$
    SELECT sha256('\x00'::bytea || substr(array_send(ARRAY[
        'hourbook event ' || coalesce('2 ' || its_actor, '1'), log::text, its_position::text, account, its_version::text, its_id::text, command, its_type,
        its_schema_version::text, (extract(epoch FROM its_recorded_at) * 1000000)::bigint::text, its_data,
        coalesce(encode(its_fingerprint, 'hex'), '')
    ]), 21))
$$;

-- An append rests on each account's last known event, and so does a snapshot: a process that knows another past than the
-- log's, as after a restore, neither records nor answers by it. From here on functions stand in functions/, a file each.
DROP FUNCTION ledger.append(
    integer, text[], integer[], uuid[], text[], bytea[], text[], smallint[], timestamptz[], text[], text[], timestamptz[],
    integer[], text[], bytea[], text[]
);
DROP FUNCTION ledger.settled_position(integer, text, integer, uuid);

ALTER TABLE ledger.snapshot ADD COLUMN event_id uuid; -- of the account's last event in it; a row without one is not read

-- What the trigger of ledger.event and of its partitions does.
CREATE OR REPLACE FUNCTION ledger.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'events are never changed: % of ledger.event is refused', TG_OP
        USING ERRCODE = 'integrity_constraint_violation', HINT = 'Record a new event that corrects the old one.';
END
$$;

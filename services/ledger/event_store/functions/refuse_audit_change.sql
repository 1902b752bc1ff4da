-- What the triggers of ledger.checkpoint and ledger.audit_key do.
CREATE OR REPLACE FUNCTION ledger.refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'checkpoints and keys are never changed: % of ledger.% is refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
END
$$;

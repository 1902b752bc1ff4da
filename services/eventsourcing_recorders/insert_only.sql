-- What an application's log says is never changed.

CREATE OR REPLACE FUNCTION {refuse_change}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'events are never changed: % is refused', TG_OP
        USING ERRCODE = 'integrity_constraint_violation', HINT = 'Record a new event that corrects the old one.';
END
$$;

CREATE OR REPLACE TRIGGER is_insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {events}
    FOR EACH STATEMENT EXECUTE FUNCTION {refuse_change}();

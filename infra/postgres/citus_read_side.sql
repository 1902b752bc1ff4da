-- Distributes the read side by account; citus.sql includes it. An account's rows of all projections stand on one node, and
-- queries about it run there whole. What is of no account stays on the coordinator, a few rows each: the places of the
-- projections, the sums of days and months over all accounts, and what of alerts is counted or delivered in one order.

ALTER ROLE hourbook_projections LOGIN;
ALTER ROLE hourbook_projections_owner LOGIN;
ALTER ROLE hourbook_reader LOGIN;

BEGIN;
SET LOCAL citus.multi_shard_modify_mode TO 'sequential';

-- Made here alone at first: to the nodes come, with a table, its schema and the roles that may use both.
SET LOCAL citus.enable_ddl_propagation TO off;
CREATE SCHEMA distribution;
GRANT USAGE ON SCHEMA distribution TO hourbook_projections, hourbook_projections_owner, hourbook_auditor;

-- A row in each shard: to ask every node over connections that are open. All tables of the read side stand beside it.
CREATE TABLE distribution.shard (account_id text COLLATE "C" PRIMARY KEY);
GRANT SELECT ON distribution.shard TO hourbook_projections, hourbook_projections_owner, hourbook_auditor;
GRANT DELETE ON distribution.shard TO hourbook_projections, hourbook_projections_owner;
SET LOCAL citus.enable_ddl_propagation TO on;
SELECT create_distributed_table('distribution.shard', 'account_id', colocate_with => 'none', shard_count => 8);
INSERT INTO distribution.shard
SELECT DISTINCT ON (get_shard_id_for_distribution_column('distribution.shard', n::text)) n::text
FROM generate_series(1, 1000) AS n;

-- What the role that asks, or the workers', has prepared to commit on the node of a shard.
CREATE FUNCTION distribution.prepared(account_id text) RETURNS text[] LANGUAGE sql VOLATILE AS $$
    SELECT array_agg(gid) FROM pg_prepared_xacts
    WHERE owner IN (current_user, 'hourbook_projections')
        AND database = current_database() AND starts_with(gid, 'citus_0_')
$$;

-- Whether something stays prepared: a node, or its link, broke while it committed. Until Citus has ended that
-- (citus.recover_2pc_interval), the node shows rows as they were before.
CREATE FUNCTION distribution.in_doubt() RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    first text[];
    still text[];
BEGIN
    FOR look IN 1..200 LOOP
        SELECT array_agg(gid) INTO still
        FROM (SELECT distribution.prepared(account_id) AS gids FROM distribution.shard) AS of_shard, unnest(gids) AS gid;
        first := coalesce(first, still);
        IF still IS NULL OR NOT first && still THEN
            RETURN false;
        END IF;
        PERFORM pg_sleep(0.005);
    END LOOP;
    RETURN true;
END $$;

-- The nodes commit one after another, and no state of theirs is common to all. Every reader locks a projection's first
-- table (ROW SHARE) before it looks where the projection stands; whoever moves it waits for readers to leave, and holds off
-- others until all nodes have committed. So a reader sees one state, the one of the place that it is told.
CREATE FUNCTION distribution.hold_readers() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format(
        'LOCK TABLE projections.%I IN EXCLUSIVE MODE',
        CASE TG_TABLE_NAME WHEN 'tracking' THEN to_jsonb(NEW) -> 'tables' ->> 0 ELSE 'alert_account' END
    );
    IF distribution.in_doubt() THEN
        RAISE 'a node has not ended a transaction that was committed' USING ERRCODE = 'cannot_connect_now';
    END IF;
    -- Deletes nothing. But for it, what changes one node alone is not prepared before it is committed: where that node is
    -- killed once it has committed, the place here stays, and the batch is applied again.
    DELETE FROM distribution.shard WHERE now() < '2000-01-01';
    RETURN NEW;
END $$;

-- Places those tables of a schema that are of accounts and are not placed yet. The role for dashboards reads through
-- views; on nodes it meets the tables under them. The auditor has to lock what readers lock.
CREATE FUNCTION distribution.place(of_schema regnamespace) RETURNS void LANGUAGE plpgsql
SET citus.enable_ddl_propagation TO on SET citus.multi_shard_modify_mode TO 'sequential' AS $$
DECLARE
    unplaced regclass;
    viewed text;
    first text;
BEGIN
    IF of_schema = 'projections'::regnamespace THEN
        SELECT string_agg(DISTINCT format('%I.%I', table_schema, table_name), ', ') INTO viewed
        FROM information_schema.view_table_usage WHERE view_schema = 'reporting';
        EXECUTE format('GRANT SELECT ON %s TO hourbook_reader', viewed);
    END IF;
    FOR unplaced IN
        SELECT c.oid FROM pg_class AS c JOIN pg_attribute ON attrelid = c.oid AND attname = 'account_id'
        WHERE relnamespace = of_schema AND relkind = 'r' AND relname NOT IN ('halted_account', 'alert_change')
            AND c.oid NOT IN (SELECT logicalrelid FROM pg_dist_partition)
        ORDER BY relname <> 'account', relname  -- others refer to it
    LOOP
        PERFORM create_distributed_table(unplaced, 'account_id', colocate_with => 'distribution.shard');
    END LOOP;
    IF of_schema = 'projections'::regnamespace THEN
        GRANT USAGE ON SCHEMA projections TO hourbook_reader;
        SET LOCAL citus.enable_ddl_propagation TO off;
        REVOKE USAGE ON SCHEMA projections FROM hourbook_reader;
        SELECT string_agg(DISTINCT format('projections.%I', tables[1]), ', ') INTO first FROM projections.tracking;
        EXECUTE format('GRANT MAINTAIN ON %s TO hourbook_auditor', first);
    END IF;
END $$;

SELECT distribution.place('projections');

CREATE TRIGGER hold_readers BEFORE UPDATE OF position ON projections.tracking
    FOR EACH ROW EXECUTE FUNCTION distribution.hold_readers();
CREATE TRIGGER hold_readers BEFORE UPDATE ON projections.alert_numbering
    FOR EACH ROW EXECUTE FUNCTION distribution.hold_readers();

-- Whoever rebuilds makes schemas on every node.
SELECT format('GRANT CREATE ON DATABASE %I TO hourbook_projections_owner', current_database()) \gexec

COMMIT;

-- Distributes the ledger over the nodes of a Citus cluster (12 or later), by log. Run it once, on the coordinator, as the
-- owner of the schema, after the ledger's first start with HOURBOOK_LOGS=n has made the tables and before its first
-- command; nothing in Hourbook is configured differently then. Every statement that a command, a relay, the expiry or a
-- reader of the log issues names one log_id, so it runs on the one node that has this log; Citus moves shards between
-- nodes, and Hourbook never learns where a log is.
--
-- Run it with psql, which has to stop at the first error:
--   psql -v ON_ERROR_STOP=1 -f infra/postgres/citus.sql "$DATABASE_URL"
-- docs/operating.md says what the nodes need before, and what it costs.

-- Citus works on other nodes as the role that asks, so each that touches the log has to be let in there. A role without a
-- password is let in by what pg_hba.conf of the nodes says of one another alone.
ALTER ROLE hourbook_ledger LOGIN;
ALTER ROLE hourbook_relay LOGIN;
ALTER ROLE hourbook_signer LOGIN;
ALTER ROLE hourbook_auditor LOGIN;

BEGIN;

-- The triggers that keep what was recorded from being changed look at nothing but their own statement, so they are as
-- right on a shard.
SET LOCAL citus.enable_unsafe_triggers TO on;

-- Each statement over one connection to each node: functions are distributed in the same transaction as the tables.
SET LOCAL citus.multi_shard_modify_mode TO 'sequential';

SELECT create_distributed_table('ledger.event', 'log_id', colocate_with => 'none', shard_count => 1);
SELECT create_distributed_table('ledger.due', 'log_id', colocate_with => 'ledger.event');
SELECT create_distributed_table('ledger.snapshot', 'log_id', colocate_with => 'ledger.event');
SELECT create_distributed_table('ledger.trace', 'log_id', colocate_with => 'ledger.event');
SELECT create_distributed_table('ledger.personal', 'log_id', colocate_with => 'ledger.event');
SELECT create_distributed_table('ledger.erasure', 'log_id', colocate_with => 'ledger.event');

SELECT create_distributed_table('ledger.checkpoint', 'log_id', colocate_with => 'ledger.event');
SELECT create_distributed_table('ledger.tile', 'log_id', colocate_with => 'ledger.event');
SELECT create_distributed_table('ledger.witness', 'log_id', colocate_with => 'ledger.event');
SELECT create_distributed_table('ledger.cosignature', 'log_id', colocate_with => 'ledger.event');
SELECT create_distributed_table('ledger.verification', 'log_id', colocate_with => 'ledger.event');
SELECT create_distributed_table('ledger.hindrance', 'log_id', colocate_with => 'ledger.event');

-- A few rows each, hardly ever written, and read wherever a function runs. ledger.migration, ledger.drift and ledger.portal
-- stay on the coordinator: no function reads them.
SELECT create_reference_table('ledger.logs');
SELECT create_reference_table('ledger.identity');
SELECT create_reference_table('ledger.audit_key');
SELECT create_reference_table('ledger.seal_key');
SELECT create_reference_table('ledger.test_clock');
SELECT create_reference_table('ledger.epoch');
SELECT create_reference_table('ledger.lost_past');

-- Called inside the others, wherever they run.
SELECT create_distributed_function('ledger.lock_log(integer)');
SELECT create_distributed_function('ledger.leaf_hash(integer, bigint, text, integer, uuid, text, text, smallint, timestamptz, text, bytea, text)');

-- Each runs, whole, on the node that has its log. That node's advisory lock then stands for the log: all appends to a
-- log come to it, whichever node a client is connected to.
SELECT create_distributed_function(
    'ledger.append_sealed(integer, text[], integer[], uuid[], text[], bytea[], text[], smallint[], timestamptz[], text[], text[], timestamptz[], integer[], text[], bytea[], text[], uuid[], text[], bytea, integer, bigint, bytea)',
    'log', colocate_with => 'ledger.event'
);
SELECT create_distributed_function(
    'ledger.committed_position(integer, text, integer, uuid)', 'log', colocate_with => 'ledger.event'
);
SELECT create_distributed_function(
    'ledger.grow_tree(integer, bigint, bigint, integer, text, smallint[], bigint[], bytea[])',
    'log', colocate_with => 'ledger.event'
);

COMMIT;

-- One shard for each log, each made by a statement of its own: by its hash alone, a log shares a shard with others, and logs
-- fall unevenly on nodes. Log -1 is that of access.
SELECT format($$SELECT isolate_tenant_to_new_shard('ledger.event', %s, 'CASCADE', 'block_writes')$$, log_id)
FROM generate_series(-1, (SELECT number - 1 FROM ledger.logs)) AS log_id \gexec

-- The logs one after another on the nodes: log 0 on the first, log 1 on the second …
SELECT format(
    $$SELECT citus_move_shard_placement(%s, '%s', %s, '%s', %s, 'block_writes')$$,
    shardid, there.nodename, there.nodeport, node.nodename, node.nodeport
)
FROM generate_series(-1, (SELECT number - 1 FROM ledger.logs)) AS log_id
JOIN pg_dist_shard_placement AS there ON there.shardid = get_shard_id_for_distribution_column('ledger.event', log_id)
JOIN (
    SELECT nodename, nodeport, row_number() OVER (ORDER BY nodeid) - 1 AS place, count(*) OVER () AS nodes
    FROM pg_dist_node WHERE shouldhaveshards AND noderole = 'primary'
) AS node ON (log_id + nodes) % nodes = place
WHERE (there.nodename, there.nodeport) <> (node.nodename, node.nodeport) \gexec

\ir citus_read_side.sql

-- Billing stays on the coordinator, and what is rebuilt is made on other nodes by distribution.place alone.
SELECT format('ALTER DATABASE %I SET citus.enable_ddl_propagation = off', current_database()) \gexec

-- One connection to a node is kept for the next transaction; more would be opened anew for each.
SELECT format('ALTER DATABASE %I SET citus.max_adaptive_executor_pool_size = 1', current_database()) \gexec

-- Citus looks up for every row of pg_class whether it is a shard. Each new connection of a client asks for its types, so
-- that this took over a second a type.
SELECT format('ALTER DATABASE %I SET citus.override_table_visibility = off', current_database()) \gexec

-- `hourbook ledger` starts with migrations, which are not made for distributed tables: after an update, apply what is new
-- in services/ledger/event_store, functions too, by hand, and distribute what it adds, before the new version starts.

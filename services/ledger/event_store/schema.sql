-- What is there once all migrations are applied, as one text to read; a test compares it with a migrated database. The
-- schema itself and ledger.migration are made by migrations.py, functions stand in functions/, a file each, and
-- partitions.sql is what a ledger of several logs adds.
--
-- log_id leads every key, so that the tables can be distributed by it. There is no sequence, no xid, no NOTIFY: a position
-- is given under one advisory lock per log that is held to the end of the commit, so it is gapless and in commit order,
-- and a reader can never skip an event.

CREATE TABLE ledger.event (
    log_id integer NOT NULL,
    position bigint NOT NULL CHECK (position > 0),
    account_id text NOT NULL,
    version integer NOT NULL CHECK (version > 0),
    event_id uuid NOT NULL,
    command_id text NOT NULL,
    fingerprint bytea, -- of the command; only on its first event
    type text NOT NULL,
    schema_version smallint NOT NULL,
    recorded_at timestamptz NOT NULL,
    data json NOT NULL, -- json, not jsonb: the bytes stay as they were written
    hash bytea NOT NULL, -- ledger.leaf_hash of all the others
    actor text, -- who gave the command; events of before have none
    seal bytea, -- of the whole append, with its last event; the key is not in the database
    PRIMARY KEY (log_id, position),
    CONSTRAINT event_account_version UNIQUE (log_id, account_id, version)
);

-- A command is recorded once in its account: its key is taken by its first event, in the same transaction.
CREATE UNIQUE INDEX event_command_of_account ON ledger.event (log_id, account_id, command_id)
    WHERE fingerprint IS NOT NULL;

-- Always: also where session_replication_role silences ordinary triggers.
CREATE TRIGGER event_is_insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.event
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
ALTER TABLE ledger.event ENABLE ALWAYS TRIGGER event_is_insert_only;

-- How many logs there are: what is here was placed by that number, so it never changes.
CREATE TABLE ledger.logs (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    number integer NOT NULL CHECK (number > 0)
);

-- When each account's next package ends; absent while nothing is left to expire.
CREATE TABLE ledger.due (
    log_id integer NOT NULL,
    account_id text NOT NULL,
    next_due_at timestamptz,
    PRIMARY KEY (log_id, account_id)
);
CREATE INDEX due_next ON ledger.due (log_id, next_due_at, account_id) WHERE next_due_at IS NOT NULL;

-- States of accounts with long histories, so that opening one reads a state and a tail. A pure cache: it may be emptied at
-- any time, and a row made by another program, or of an event that is not in the log, is passed over.
CREATE TABLE ledger.snapshot (
    log_id integer NOT NULL,
    account_id text NOT NULL,
    program text NOT NULL,
    version integer NOT NULL,
    recorded_at timestamptz NOT NULL,
    state bytea NOT NULL,
    event_id uuid, -- of the account's last event in it; a row without one is not read
    PRIMARY KEY (log_id, account_id)
);
ALTER TABLE ledger.snapshot ALTER COLUMN state SET STORAGE EXTERNAL; -- compressed already

-- The sandbox's time. No row: nobody has set it yet, and it follows the real time.
CREATE TABLE ledger.test_clock (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    now timestamptz NOT NULL
);

-- Names of people stand beside the log: events hold salted commitments to them, so that they can be erased and every proof
-- still holds. services/auditing/handed_out/FORMAT.md says what a commitment is.
CREATE TABLE ledger.personal (
    log_id integer NOT NULL,
    position bigint NOT NULL, -- of the event that holds the commitment
    commitment text NOT NULL,
    salt bytea NOT NULL,
    text text NOT NULL,
    PRIMARY KEY (log_id, position, commitment)
);
-- Or ANALYZE would keep some of them in the statistics.
ALTER TABLE ledger.personal ALTER COLUMN salt SET STATISTICS 0, ALTER COLUMN text SET STATISTICS 0;

-- That something was erased, and why; never what.
CREATE TABLE ledger.erasure (
    log_id integer NOT NULL,
    account_id text NOT NULL,
    erased_at timestamptz NOT NULL,
    reason text NOT NULL,
    commitments text[] NOT NULL,
    PRIMARY KEY (log_id, account_id, erased_at)
);

-- What lets the log prove itself, beside the hashes of its events: the tree over them, its signed checkpoints, and the
-- keys that sign. services/auditing/handed_out/FORMAT.md says what each is.

-- Which ledger this is, for ever: a checkpoint names it.
CREATE TABLE ledger.identity (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    ledger_id uuid NOT NULL
);

-- The public keys, as signed notes. The private one is in a file: who administers the database is not trusted with it.
CREATE TABLE ledger.audit_key (
    number integer PRIMARY KEY CHECK (number > 0),
    note text NOT NULL
);
CREATE TRIGGER key_is_insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.audit_key
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_audit_change();
ALTER TABLE ledger.audit_key ENABLE ALWAYS TRIGGER key_is_insert_only;

-- The public keys of seals, as notes that the key above has signed. From the first one on nothing is appended without a
-- seal.
CREATE TABLE ledger.seal_key (
    number integer PRIMARY KEY CHECK (number > 0),
    note text NOT NULL
);
CREATE TRIGGER seal_key_is_insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.seal_key
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_audit_change();
ALTER TABLE ledger.seal_key ENABLE ALWAYS TRIGGER seal_key_is_insert_only;

CREATE TABLE ledger.checkpoint (
    log_id integer NOT NULL,
    size bigint NOT NULL CHECK (size > 0),
    note text NOT NULL,
    PRIMARY KEY (log_id, size)
);
CREATE TRIGGER checkpoint_is_insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.checkpoint
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_audit_change();
ALTER TABLE ledger.checkpoint ENABLE ALWAYS TRIGGER checkpoint_is_insert_only;

-- C2SP tlog-tiles: 256 hashes of 32 bytes; the last one of each level grows.
CREATE TABLE ledger.tile (
    log_id integer NOT NULL,
    level smallint NOT NULL,
    index bigint NOT NULL,
    hashes bytea NOT NULL,
    PRIMARY KEY (log_id, level, index)
);

-- Up to which size each witness has the checkpoints.
CREATE TABLE ledger.witness (
    log_id integer NOT NULL,
    witness text NOT NULL,
    size bigint NOT NULL,
    PRIMARY KEY (log_id, witness)
);

-- By which witnesses a checkpoint is cosigned: their signature lines, checked before they are written here.
CREATE TABLE ledger.cosignature (
    log_id integer NOT NULL,
    size bigint NOT NULL,
    witness text NOT NULL,
    line text NOT NULL,
    PRIMARY KEY (log_id, size, witness)
);

-- What the last verification found; for health and metrics, not evidence.
CREATE TABLE ledger.verification (
    log_id integer PRIMARY KEY,
    size bigint NOT NULL,
    verified_at timestamptz NOT NULL DEFAULT now(),
    faults text[] NOT NULL,
    log_is_sound boolean NOT NULL DEFAULT true, -- the faults, if any, are of a read model alone
    full_at timestamptz -- when everything was gone over last, from the first event
);

-- Why a part whose work is evidence (the signer, the delivery to a witness) cannot work now; for health and metrics.
CREATE TABLE ledger.hindrance (
    log_id integer NOT NULL,
    source text NOT NULL,
    sentence text NOT NULL,
    PRIMARY KEY (log_id, source)
);

-- How often the ledger has begun anew after a restore of its database. The log of access has the signed records; this is
-- what every append looks at, wherever its log is. No row: the first epoch.
CREATE TABLE ledger.epoch (
    number integer PRIMARY KEY CHECK (number > 1)
);

-- Positions that somebody outside of the database knows, and that a log does not have any more, as after a restore: while
-- one of this epoch stands, nothing is appended. Notices, not evidence: `hourbook restored` deletes them.
CREATE TABLE ledger.lost_past (
    log_id integer NOT NULL,
    epoch integer NOT NULL,
    position bigint NOT NULL,
    PRIMARY KEY (log_id, epoch, position)
);

-- What connectors say of the portals that work comes from: each comparison of a month, kept for ever, and the state of
-- each portal, by the key of its connector.
CREATE TABLE ledger.drift (
    month text NOT NULL,
    compared_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    actor text NOT NULL,
    differing integer NOT NULL,
    comparison json NOT NULL,
    PRIMARY KEY (month, compared_at)
);
CREATE TABLE ledger.portal (
    actor text PRIMARY KEY,
    reported_at timestamptz NOT NULL DEFAULT now(),
    state json NOT NULL
);

-- Of which trace an event's command was, where operators trace: under no hash, and nothing rests on it.
CREATE TABLE ledger.trace (
    log_id integer NOT NULL,
    event_id uuid NOT NULL,
    traceparent text NOT NULL,
    PRIMARY KEY (log_id, event_id)
);

GRANT USAGE ON SCHEMA ledger TO hourbook_ledger, hourbook_relay, hourbook_signer, hourbook_auditor;
GRANT SELECT ON ledger.migration, ledger.logs, ledger.event, ledger.identity
    TO hourbook_ledger, hourbook_relay, hourbook_signer, hourbook_auditor;
GRANT SELECT ON ledger.audit_key, ledger.seal_key, ledger.checkpoint, ledger.tile, ledger.witness, ledger.cosignature,
    ledger.verification, ledger.hindrance TO hourbook_ledger, hourbook_signer, hourbook_auditor;
GRANT SELECT ON ledger.personal, ledger.erasure TO hourbook_ledger, hourbook_auditor;
GRANT SELECT ON ledger.due TO hourbook_ledger;

-- Events, due accounts and names are inserted by ledger.append_sealed and ledger.append, checkpoints and tiles by
-- ledger.grow_tree, keys of seals by ledger.publish_seal_key alone.
GRANT INSERT ON ledger.erasure TO hourbook_ledger;
GRANT DELETE ON ledger.personal TO hourbook_ledger;
GRANT MAINTAIN ON ledger.personal TO hourbook_ledger; -- to write the table anew after an erasure
GRANT SELECT, INSERT, UPDATE ON ledger.test_clock, ledger.portal TO hourbook_ledger;
GRANT SELECT, INSERT ON ledger.drift TO hourbook_ledger;
GRANT SELECT, INSERT, UPDATE, DELETE ON ledger.snapshot TO hourbook_ledger;
GRANT SELECT, INSERT ON ledger.trace TO hourbook_ledger;
GRANT SELECT ON ledger.trace TO hourbook_relay;

GRANT INSERT ON ledger.audit_key, ledger.cosignature TO hourbook_signer;
GRANT INSERT, UPDATE ON ledger.witness TO hourbook_signer;
GRANT INSERT, UPDATE, DELETE ON ledger.hindrance TO hourbook_signer;

GRANT INSERT, UPDATE ON ledger.verification TO hourbook_auditor;

GRANT SELECT ON ledger.epoch TO hourbook_ledger, hourbook_relay, hourbook_signer, hourbook_auditor;
GRANT INSERT ON ledger.epoch TO hourbook_signer;
GRANT SELECT, INSERT ON ledger.lost_past TO hourbook_ledger, hourbook_relay, hourbook_signer, hourbook_auditor;
GRANT DELETE ON ledger.lost_past TO hourbook_signer;

-- Each part works as a role of its own, which may do what the part does and nothing else. What is recorded and what is
-- signed goes through functions that may do more than their caller: ledger.append_sealed, ledger.append,
-- ledger.publish_seal_key and ledger.grow_tree.
REVOKE INSERT ON ledger.event, ledger.logs, ledger.personal, ledger.audit_key, ledger.seal_key, ledger.checkpoint,
    ledger.cosignature FROM hourbook_ledger;
REVOKE INSERT, UPDATE ON ledger.due, ledger.tile, ledger.witness, ledger.verification FROM hourbook_ledger;
REVOKE INSERT, UPDATE, DELETE ON ledger.hindrance FROM hourbook_ledger;

GRANT USAGE ON SCHEMA ledger TO hourbook_relay, hourbook_signer, hourbook_auditor;
GRANT SELECT ON ledger.migration, ledger.logs TO hourbook_ledger, hourbook_relay, hourbook_signer, hourbook_auditor;
GRANT SELECT ON ledger.event, ledger.identity TO hourbook_relay, hourbook_signer, hourbook_auditor;
GRANT SELECT ON ledger.audit_key, ledger.seal_key, ledger.checkpoint, ledger.tile, ledger.witness, ledger.cosignature,
    ledger.verification, ledger.hindrance TO hourbook_signer, hourbook_auditor;

GRANT INSERT ON ledger.audit_key, ledger.cosignature TO hourbook_signer;
GRANT INSERT, UPDATE ON ledger.witness TO hourbook_signer;
GRANT INSERT, UPDATE, DELETE ON ledger.hindrance TO hourbook_signer;

GRANT SELECT ON ledger.personal, ledger.erasure TO hourbook_auditor;
GRANT INSERT, UPDATE ON ledger.verification TO hourbook_auditor;

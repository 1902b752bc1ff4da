"""As which roles of PostgreSQL the parts of the ledger work. Migrations say what each may do."""

from services.process.postgres_roles import AUDITOR

LEDGER = "hourbook_ledger"
"""Records and reads: events through `ledger.append_sealed` alone."""

RELAY = "hourbook_relay"
"""Reads events."""

SIGNER = "hourbook_signer"
"""Reads events, publishes keys, checkpoints and what witnesses say of them."""

ROLES = (LEDGER, RELAY, SIGNER, AUDITOR)

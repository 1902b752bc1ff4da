"""The read side: follows the log and answers questions about it, never asking the ledger's tables."""

"""The log of events in PostgreSQL: insert-only, gapless, in commit order."""

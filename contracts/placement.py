"""Where things are, by their names: the ledger that writes and the projections that read place them alike."""

from zlib import crc32

ACCESS_LOG = -1
"""What is remembered of access; beside the logs of accounts, which count from 0."""


def log_of(name: str, logs: int) -> int:
    """Which of so many logs an account belongs to, for ever."""
    return crc32(name.encode()) % logs

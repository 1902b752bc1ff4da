"""Where things are, by their names: the ledger that writes and the projections that read place them alike."""

from zlib import crc32

ACCESS_LOG = -1
"""What is remembered of access; beside the logs of accounts, which count from 0."""


def every_log(logs: int) -> tuple[int, ...]:
    """Those of accounts, so many, and that of access: all that is signed and verified."""
    return (*range(logs), ACCESS_LOG)


def log_name(log_id: int) -> str:
    """What a log is called in names of files and addresses."""
    return "access" if log_id == ACCESS_LOG else str(log_id)


def log_of(name: str, logs: int) -> int:
    """Which of so many logs an account belongs to, for ever."""
    return crc32(name.encode()) % logs

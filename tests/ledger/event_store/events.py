"""Events as the pipeline drafts them."""

from datetime import UTC, datetime
from uuid import NAMESPACE_URL, uuid5

import asyncpg

from services.ledger.event_store.stored_event import StoredEvent


def event(
    account_id: str,
    version: int,
    command_id: str,
    *,
    first: bool = True,
    data: str = "{}",
    event_id: str | None = None,
    actor: str | None = None,
) -> StoredEvent:
    """One event of a command; its first one has the fingerprint. It follows the one that `id_of` names."""
    return StoredEvent(
        position=None,
        account_id=account_id,
        version=version,
        event_id=event_id or id_of(account_id, version),
        command_id=command_id,
        fingerprint=command_id.encode() if first else None,
        type="TaskClosed",
        schema_version=1,
        recorded_at=datetime.now(UTC),
        data=data,
        actor=actor,
        follows=id_of(account_id, version - 1) if version > 1 else None,
    )


def id_of(account_id: str, version: int) -> str:
    """The id of an account's event, the same whenever it is asked."""
    return str(uuid5(NAMESPACE_URL, f"{account_id} {version}"))


async def append_as_before(database_url: str, log_id: int, *events: StoredEvent) -> None:
    """As a program appends that knows nothing personal to be kept apart; it may still run after the migration."""
    names = [name for name in StoredEvent._fields if name not in {"position", "actor", "personal", "follows"}]
    columns = [[getattr(each, name) for each in events] for name in names]
    connection = await asyncpg.connect(database_url)
    parameters = ", ".join(f"${number}" for number in range(1, 13))
    try:
        await connection.execute(f"SELECT ledger.append({parameters})", log_id, *columns, [], [])
    finally:
        await connection.close()

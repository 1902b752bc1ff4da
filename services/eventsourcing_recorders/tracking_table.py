"""A table that says how far each upstream application has been processed."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from eventsourcing.persistence import Tracking

from services.eventsourcing_recorders.datastore import Datastore, literal, quoted

Writes = Sequence[tuple[Any, ...]]  # statements, each followed by its arguments
TRACKING_SQL = Path(__file__).with_name("tracking.sql").read_text(encoding="utf-8")


class TrackingTable:
    """The places of one follower, `<schema>.<name>`; each only ever moves forward."""

    def __init__(self, datastore: Datastore, name: str) -> None:
        self._datastore = datastore
        self._log_id = datastore.settings.log_id
        self._table, self._track = datastore.qualified(name), datastore.qualified(f"{name}_track")
        self._max = f"SELECT notification_id FROM {self._table} WHERE log_id = $1 AND application_name = $2"  # noqa: S608

    async def create(self) -> None:
        """Create what is missing of the table and its function."""
        schema = quoted(self._datastore.settings.schema_name)
        names = {
            "schema": schema,
            "schema_literal": literal(schema),
            "tracking": self._table,
            "track": self._track,
        }
        await self._datastore.create(TRACKING_SQL, names)

    def tracking(self, application_name: str, notification_id: str) -> str:
        """The SQL that moves on, of a statement whose $1 is the log; it refuses a place that was passed before."""
        return f"{self._track}($1, {application_name}, {notification_id})"

    async def insert(self, tracking: Tracking, writes: Writes = ()) -> None:
        """Move on and write, together or not at all; IntegrityError if that place was passed before."""
        move = f"SELECT {self.tracking('$2', '$3')}"
        given = (self._log_id, tracking.application_name, tracking.notification_id)
        if not writes:
            await self._datastore.write(move, *given)
            return
        async with self._datastore.connection() as connection, connection.transaction():
            await connection.execute(move, *given)
            for statement, *arguments in writes:
                await connection.execute(statement, *arguments)

    async def max(self, application_name: str) -> int | None:
        """The place in that application's log; None before anything of it was processed."""
        return await self._datastore.value(self._max, self._log_id, application_name)

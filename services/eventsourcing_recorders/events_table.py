"""A table of events: appends to it and reads it, in the library's words."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from eventsourcing.persistence import IntegrityError, Notification, StoredEvent, Tracking

from services.eventsourcing_recorders.datastore import ConnectionLost, Datastore, literal, quoted
from services.eventsourcing_recorders.tracking_table import TrackingTable

EVENTS_SQL = Path(__file__).with_name("events.sql").read_text(encoding="utf-8")
INSERT_ONLY_SQL = Path(__file__).with_name("insert_only.sql").read_text(encoding="utf-8")
FIRST, LAST = -(2**63), 2**63 - 1


class EventsTable:
    """The events of one application in one log, `<schema>.<name>`."""

    def __init__(self, datastore: Datastore, name: str) -> None:
        self._datastore = datastore
        self._log_id = datastore.settings.log_id
        table = datastore.qualified(name)
        append, located = datastore.qualified(f"{name}_append"), datastore.qualified(f"{name}_settled")
        self._names = {
            "schema": quoted(datastore.settings.schema_name),
            "schema_literal": literal(quoted(datastore.settings.schema_name)),
            "lock_literal": literal(table),
            "events": table,
            "append": append,
            "settled": located,
            "refuse_change": datastore.qualified("refuse_change"),
            "id_type": datastore.settings.originator_id_type,
        }
        self._appending = f"{append}($1, $2, $3, $4, $5, $6) AS position"
        self._located = f"SELECT {located}($1, $2, $3, $4)"
        self._head = f"SELECT max(position) FROM {table} WHERE log_id = $1"  # noqa: S608 - the names are quoted
        self._page = f"""
            SELECT originator_id, originator_version, topic, state, position FROM {table}
            WHERE log_id = $1 AND position >= $2 AND position <= $3 AND ($4::text[] IS NULL OR topic = ANY ($4))
            ORDER BY position LIMIT $5
        """  # noqa: S608
        self._of_originator = f"""
            SELECT originator_id, originator_version, topic, state FROM {table}
            WHERE log_id = $1 AND originator_id = $2 AND originator_version > $3 AND originator_version <= $4
            ORDER BY originator_version
        """  # noqa: S608

    async def create(self, *, insert_only: bool) -> None:
        """Create what is missing of the table and its functions."""
        await self._datastore.create(EVENTS_SQL, self._names)
        if insert_only:
            await self._datastore.create(INSERT_ONLY_SQL, self._names)

    async def append(
        self, events: Sequence[StoredEvent], tracking: Tracking | None = None, tracked_in: TrackingTable | None = None
    ) -> int:
        """Record all events or none, and the tracking with them; returns the position of the first.

        When the link breaks, nobody knows whether the commit happened: the table is asked for the first event, once
        whatever was under way has ended, and only what is not there is sent again, unchanged.
        """
        given = self._given(events)
        statement = f"SELECT {self._appending}"
        if tracking and tracked_in:
            statement += f", {tracked_in.tracking('$7', '$8')}"
            given = (*given, tracking.application_name, tracking.notification_id)
        try:
            return await self._append(statement, given)
        except ConnectionLost:
            first = (self._log_id, given[1], events[0].originator_id, events[0].originator_version)
            return await self._find_or_append(first, statement, given)

    async def _find_or_append(self, first: tuple[Any, ...], statement: str, given: tuple[Any, ...]) -> int:
        if position := await self._datastore.value(self._located, *first):
            return position
        try:
            return await self._append(statement, given)
        except IntegrityError:  # perhaps for what the lost connection recorded after all
            if position := await self._datastore.value(self._located, *first):
                return position
            raise

    async def _append(self, statement: str, given: tuple[Any, ...]) -> int:
        row = await self._datastore.write(statement, *given)
        assert row is not None
        return row["position"]

    def _given(self, events: Sequence[StoredEvent]) -> tuple[Any, ...]:
        return (
            self._log_id,
            uuid4(),
            [event.originator_id for event in events],
            [event.originator_version for event in events],
            [event.topic for event in events],
            [event.state for event in events],
        )

    async def of_originator(
        self, originator_id: UUID | str, gt: int | None, lte: int | None, limit: int | None, *, desc: bool
    ) -> list[StoredEvent]:
        """An aggregate's events with those versions, in order or backwards."""
        after, to = FIRST if gt is None else gt, LAST if lte is None else lte
        statement = f"{self._of_originator} {'DESC' if desc else 'ASC'} LIMIT $5"
        rows = await self._datastore.rows(statement, self._log_id, originator_id, after, to, limit)
        return [StoredEvent(*row) for row in rows]

    async def page(self, first: int, last: int | None, topics: Sequence[str], limit: int) -> list[Notification]:
        """The log's events from one position to the other, of these topics or of all, in order."""
        given = (self._log_id, first, LAST if last is None else last, list(topics) or None, limit)
        return [Notification(*row) for row in await self._datastore.rows(self._page, *given)]

    async def head(self) -> int | None:
        """The position of the last event; None in an empty log."""
        return await self._datastore.value(self._head, self._log_id)

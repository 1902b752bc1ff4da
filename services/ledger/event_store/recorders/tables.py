"""The tables of one application: its events and its tracking, with the log's own rules of order.

A notification's id is settled in a function, under an advisory lock that is held to the end of the commit: ids have no
gaps and are in commit order, so that whoever follows them can never skip one. `log_id` leads every key.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import asyncpg

OriginatorIdType = Literal["uuid", "text"]

IDENTIFIER_BYTES_MAX = 63

_EVENTS = """
CREATE TABLE IF NOT EXISTS {events} (
    log_id integer NOT NULL,
    notification_id bigint NOT NULL,
    originator_id {id_type} NOT NULL,
    originator_version bigint NOT NULL,
    topic text NOT NULL,
    state bytea NOT NULL,
    PRIMARY KEY (log_id, originator_id, originator_version)
);
CREATE UNIQUE INDEX IF NOT EXISTS {index} ON {events} (log_id, notification_id);
"""

_TRACKING = """
CREATE TABLE IF NOT EXISTS {tracking} (
    log_id integer NOT NULL,
    application_name text NOT NULL,
    notification_id bigint NOT NULL,
    PRIMARY KEY (log_id, application_name)
);
CREATE OR REPLACE FUNCTION {track}(log integer, application text, id bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO {tracking} AS t VALUES (log, application, id)
    ON CONFLICT (log_id, application_name) DO UPDATE SET notification_id = excluded.notification_id
    WHERE t.notification_id < excluded.notification_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'notification % of % was tracked already', id, application USING ERRCODE = 'unique_violation';
    END IF;
END
$$;
"""

# Each statement in a function sees what was committed before it began: the head is read once the lock is had.
_APPEND = """
CREATE OR REPLACE FUNCTION {append}(
    log integer, ids {id_type}[], versions bigint[], topics text[], states bytea[]
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    head bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended({lock_name}, log));
    SELECT coalesce(max(notification_id), 0) INTO head FROM {events} WHERE log_id = log;
    INSERT INTO {events}
    SELECT log, head + n, id, version, topic, state
    FROM unnest(ids, versions, topics, states) WITH ORDINALITY AS new (id, version, topic, state, n);
    RETURN head + 1;
END
$$;
"""

_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('hourbook recorders', 0))"


@dataclass(frozen=True)
class Tables:
    """Names of the tables and functions of an application, each quoted and with its schema."""

    schema: str
    events_name: str | None = None
    tracking_name: str | None = None
    id_type: OriginatorIdType = "uuid"

    def __post_init__(self) -> None:
        for name in (self.schema, self.events_name, self.tracking_name):
            longest = f"{name}_append"
            if name and len(longest.encode()) > IDENTIFIER_BYTES_MAX:
                raise ValueError(f"{name}: give a name of at most {IDENTIFIER_BYTES_MAX - len('_append')} bytes")

    @cached_property
    def events(self) -> str:
        """The table of stored events."""
        return self._quoted(self.events_name)

    @cached_property
    def lock_name(self) -> str:
        """What the lock of a log is named after, as a literal."""
        escaped = self.events.replace("'", "''")
        return f"'{escaped}'"

    @cached_property
    def append(self) -> str:
        """The function that appends to it."""
        return self._quoted(f"{self.events_name}_append")

    @cached_property
    def tracking(self) -> str:
        """The table of how far other applications' notifications have been processed."""
        return self._quoted(self.tracking_name)

    @cached_property
    def track(self) -> str:
        """The function that moves it on."""
        return self._quoted(f"{self.tracking_name}_track")

    def _quoted(self, name: str | None) -> str:
        assert name, "this application has no such table"
        return f"{_identifier(self.schema)}.{_identifier(name)}"

    async def create(self, connection: asyncpg.Connection) -> None:
        """Make whatever is missing; any number of processes may do so at once."""
        async with connection.transaction():
            await connection.execute(_LOCK)
            await connection.execute(f"CREATE SCHEMA IF NOT EXISTS {_identifier(self.schema)}")
            if self.events_name:
                index = _identifier(f"{self.events_name}_order")
                names = {"events": self.events, "append": self.append, "lock_name": self.lock_name}
                for statement in (_EVENTS, _APPEND):
                    await connection.execute(statement.format(**names, id_type=self.id_type, index=index))
            if self.tracking_name:
                await connection.execute(_TRACKING.format(tracking=self.tracking, track=self.track))


def _identifier(name: str) -> str:
    escaped = name.replace('"', '""')
    return f'"{escaped}"'

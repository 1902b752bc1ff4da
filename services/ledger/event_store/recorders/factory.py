"""Makes recorders for an application from its environment, as the library's own factories do."""

from contextlib import suppress
from typing import Any, cast

import asyncpg
from eventsourcing.persistence import InfrastructureFactory
from eventsourcing.utils import resolve_topic, strtobool

from services.ledger.event_store.recorders.awaited import AwaitedRecorder
from services.ledger.event_store.recorders.bridge import (
    BridgedAggregateRecorder,
    BridgedApplicationRecorder,
    BridgedProcessRecorder,
    BridgedRecorder,
    BridgedTrackingRecorder,
    wait_for,
)
from services.ledger.event_store.recorders.tables import OriginatorIdType, Tables

SCHEMA = "eventsourcing"
POOL_SIZE = 5
CONNECT_SECONDS_MAX = 5
STATEMENT_SECONDS_MAX = 30


class Factory(InfrastructureFactory[BridgedTrackingRecorder]):
    """Reads DATABASE_URL, and where given POSTGRES_SCHEMA, POSTGRES_POOL_SIZE, ORIGINATOR_ID_TYPE (uuid or text) and
    CREATE_TABLE; each may have the application's name before it.
    """

    def __init__(self, env: Any) -> None:
        super().__init__(env)
        url = self.env.get("DATABASE_URL")
        if not url:
            raise OSError("DATABASE_URL is not set: name the PostgreSQL that is to keep the events")
        id_type = (self.env.get("ORIGINATOR_ID_TYPE") or "uuid").lower()
        if id_type not in ("uuid", "text"):
            raise OSError(f"ORIGINATOR_ID_TYPE is {id_type}: set it to uuid or text")
        self._id_type = cast("OriginatorIdType", id_type)
        self._schema = self.env.get("POSTGRES_SCHEMA") or SCHEMA
        self._pool = wait_for(_pool(url, int(self.env.get("POSTGRES_POOL_SIZE") or POOL_SIZE)))

    def close(self) -> None:
        """Close every connection; recorders made here can be used no more."""
        with suppress(AttributeError):  # it was never made
            wait_for(self._pool.close())

    def aggregate_recorder(self, purpose: str = "events") -> BridgedAggregateRecorder:
        """For sequences of aggregates, such as snapshots."""
        return self._made(BridgedAggregateRecorder, self._tables(events=purpose))

    def application_recorder(self) -> BridgedApplicationRecorder:
        """For an application's events."""
        of = self._class(self.APPLICATION_RECORDER_TOPIC, BridgedApplicationRecorder)
        return self._made(of, self._tables(events="events"))

    def tracking_recorder(self, tracking_recorder_class: type[Any] | None = None) -> Any:
        """For a view: of that class, or of the one that TRACKING_RECORDER_TOPIC names."""
        of = tracking_recorder_class or self._class(self.TRACKING_RECORDER_TOPIC, BridgedTrackingRecorder)
        return self._made(of, self._tables(tracking="tracking"))

    def process_recorder(self) -> BridgedProcessRecorder:
        """For an application that follows others."""
        of = self._class(self.PROCESS_RECORDER_TOPIC, BridgedProcessRecorder)
        return self._made(of, self._tables(events="events", tracking="tracking"))

    def _class(self, topic_key: str, otherwise: type[Any]) -> type[Any]:
        topic = self.env.get(topic_key)
        return resolve_topic(topic) if topic else otherwise

    def _tables(self, events: str | None = None, tracking: str | None = None) -> Tables:
        """Named as the library names them."""
        name = self.env.name.lower()
        return Tables(
            schema=self._schema,
            events_name=events and f"{name or 'stored'}_{events}",
            tracking_name=tracking and f"{name or 'notification'}_{tracking}",
            id_type=self._id_type,
        )

    def _made(self, of: type[Any], tables: Tables) -> Any:
        recorder: BridgedRecorder = of(AwaitedRecorder(self._pool, tables))
        if strtobool(self.env.get("CREATE_TABLE") or "yes"):
            recorder.create_table()
        return recorder


async def _pool(url: str, connections_max: int) -> asyncpg.Pool:
    """Connections made when needed; commits wait for the disk, whatever the server's default."""
    return await asyncpg.create_pool(
        url,
        min_size=0,
        max_size=connections_max,
        timeout=CONNECT_SECONDS_MAX,
        command_timeout=STATEMENT_SECONDS_MAX,
        server_settings={"application_name": "hourbook recorders", "synchronous_commit": "on"},
    )

"""The stream of one log on JetStream: a copy whose sequence equals the log's position."""

import asyncio
from collections.abc import Mapping, Sequence

import orjson
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.api import Header, RetentionPolicy, StorageType, StreamConfig
from nats.js.errors import NotFoundError

from services.ledger.event_store.leaf import hash_of
from services.ledger.event_store.stored_event import StoredEvent, rfc3339
from services.process import tracing
from services.process.lost_past import EPOCH_HEADER
from services.process.streams import epoch_of, kept, own_stream

ANSWER_SECONDS_MAX = 3
"""A cluster whose leader has died answers nothing; another one is asked as soon as there can be one."""

HEADERS_BYTES_MAX = 4096
OMITTED = "Hourbook-Data-Omitted"
NO_TRACES: Mapping[str, str] = {}
DUPLICATES_SECONDS = 120
"""What JetStream makes of none; the log's events are known by their positions."""


def stream_name(log_id: int) -> str:
    """What the stream of a log is called."""
    return f"HOURBOOK-{log_id}"


def stream_config(log_id: int, replicas: int | None) -> StreamConfig:
    """How the stream of a log has to be: on disk, for ever, and nothing in it can be deleted but all of it.

    Without a number of replicas a new stream has one, and one that is there keeps those that it has.
    """
    return StreamConfig(
        name=stream_name(log_id),
        description="A copy of the ledger's log. The log in PostgreSQL is the truth.",
        subjects=[f"hourbook.log.{log_id}.>"],
        retention=RetentionPolicy.LIMITS,
        storage=StorageType.FILE,
        num_replicas=replicas,
        max_age=0,
        max_msgs=-1,
        max_bytes=-1,
        duplicate_window=DUPLICATES_SECONDS,
        deny_delete=True,
        deny_purge=True,
        allow_direct=True,
    )


class NotAccepted(Exception):
    """JetStream refused an event at its sequence: another relay was faster, or the stream has changed."""


class LogStream:
    """Writes a log's events to its stream, each at the sequence that is its position and nowhere else."""

    def __init__(
        self, client: Client, log_id: int, ledger_id: str, replicas: int | None = None, epoch: int = 1
    ) -> None:
        self._config = stream_config(log_id, replicas)
        self.name = stream_name(log_id)
        self._client = client
        self._jetstream = client.jetstream(timeout=ANSWER_SECONDS_MAX)
        self._log_id = log_id
        self._ledger_id = ledger_id
        self.epoch = epoch
        self.epoch_there = epoch
        """In which the stream was begun, as far as its end was looked at."""
        self._inbox = client.new_inbox()
        self._round = 0
        self._missing: set[int] = set()
        self._outcome: asyncio.Future[None] | None = None

    async def open(self) -> None:
        """Listen for acknowledgements; before the first `publish`."""
        await self._client.subscribe(f"{self._inbox}.*.*", cb=self._acknowledged)

    async def end(self) -> int | None:
        """The stream's last sequence; None where it has holes and is no copy. A missing stream is created.

        OtherLedgersStream for one that is not this ledger's.
        """
        found = await own_stream(self._jetstream, self._config, self._ledger_id, kept, self.epoch)
        state, self.epoch_there = found.state, epoch_of(found)
        return state.last_seq if state.messages == state.last_seq else None

    async def event_id(self, position: int) -> str | None:
        """The id of the event at that position."""
        try:
            message = await self._jetstream.get_msg(self.name, seq=position)
        except NotFoundError:
            return None
        return (message.headers or {}).get("ce-id")

    async def id_as_of_log(self, position: int) -> str | None:
        """The id of the message there, where it says of itself that it is this ledger's event at that position."""
        try:
            message = await self._jetstream.get_msg(self.name, seq=position)
        except NotFoundError:
            return None
        said = message.headers or {}
        own = (said.get("Hourbook-Ledger"), said.get("Hourbook-Position")) == (self._ledger_id, str(position))
        return said.get("ce-id") if own else None

    async def renew(self) -> None:
        """Start over with an empty stream."""
        async with kept(self._jetstream) as keeper:
            await keeper.delete_stream(self.name)
        await own_stream(self._jetstream, self._config, self._ledger_id, kept, self.epoch)
        self.epoch_there = self.epoch

    async def publish(self, events: Sequence[StoredEvent], traces: Mapping[str, str] = NO_TRACES) -> None:
        """Send consecutive events at once and wait until all are acknowledged.

        `traces`: the traceparents of those that have one, by their ids. An event that is larger than the server takes
        has an empty body, so that the others go on; the log has it whole.

        NotAccepted if one is refused, TimeoutError without an answer; in both cases the stream may have some of them.
        """
        self._round += 1
        self._missing = {event.position for event in events if event.position}
        self._outcome = asyncio.get_running_loop().create_future()
        for event in events:
            data, headers = event.data.encode(), self._headers(event)
            if event.event_id in traces:
                headers[tracing.HEADER] = traces[event.event_id]
            if len(data) > self._client.max_payload - HEADERS_BYTES_MAX:
                data, headers[OMITTED] = b"", "true"
            await self._client.publish(
                f"hourbook.log.{self._log_id}.{event.account_id}.{event.type}",
                data,
                reply=f"{self._inbox}.{self._round}.{event.position}",
                headers=headers,
            )
        async with asyncio.timeout(ANSWER_SECONDS_MAX):
            await self._outcome

    def _headers(self, event: StoredEvent) -> dict[str, str]:
        """CloudEvents in binary mode, and all that a reader needs to have the whole `RecordedEvent`."""
        assert event.position
        headers = {
            "ce-specversion": "1.0",
            "ce-id": event.event_id,
            "ce-type": event.type,
            "ce-source": f"urn:hourbook:log:{self._log_id}",
            "ce-subject": event.account_id,
            "ce-time": rfc3339(event.recorded_at),
            "content-type": "application/json",
            "Hourbook-Position": str(event.position),
            "Hourbook-Version": str(event.version),
            "Hourbook-Schema-Version": str(event.schema_version),
            "Hourbook-Command": event.command_id,
            "Hourbook-Hash": hash_of(self._log_id, event).hex(),
            "Hourbook-Ledger": self._ledger_id,
            EPOCH_HEADER: str(self.epoch),
            Header.EXPECTED_STREAM: self.name,
            Header.EXPECTED_LAST_SEQUENCE: str(event.position - 1),
        }
        if event.actor:
            headers["ce-actor"] = event.actor
        if event.fingerprint:
            headers["Hourbook-Fingerprint"] = event.fingerprint.hex()
        return headers

    async def _acknowledged(self, message: Msg) -> None:
        """Count an acknowledgement. nats-py's own `publish_async` never finishes when a message is refused."""
        *_, round_sent, position = message.subject.split(".")
        if self._outcome is None or self._outcome.done() or int(round_sent) != self._round:
            return
        if reason := _refusal(message):
            self._outcome.set_exception(NotAccepted(f"{self.name} refused event {position}: {reason}"))
            return
        self._missing.discard(int(position))
        if not self._missing:
            self._outcome.set_result(None)


def _refusal(message: Msg) -> str | None:
    """Why JetStream did not accept; a message that nobody receives comes back without data."""
    if not message.data:
        return "there is no such stream"
    error = orjson.loads(message.data).get("error")
    return error and f"{error.get('description')} ({error.get('err_code')})"

"""Streams on JetStream belong to one ledger, which their metadata name."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext

from nats.js import JetStreamContext
from nats.js.api import StreamConfig, StreamInfo
from nats.js.errors import NotFoundError

from services.process.logins import nats_login
from services.process.nats_connection import connected

OWNER = "hourbook-ledger"
KEEPER = "keeper"


class OtherLedgersStream(Exception):
    """The stream belongs to another ledger, and stays as it is."""

    def __init__(self, stream: str, owner: str, ledger_id: str) -> None:
        super().__init__(
            f"{stream} on this NATS server belongs to ledger {owner}, and this is ledger {ledger_id}: "
            "give each ledger a NATS server, or an account of one, of its own (NATS_URL)"
        )


@asynccontextmanager
async def kept(jetstream: JetStreamContext) -> AsyncIterator[JetStreamContext]:
    """As who may change and delete streams of the log: a login of its own, where HOURBOOK_LOGINS has one."""
    login = nats_login(KEEPER)
    if login is None:
        yield jetstream
        return
    async with connected(login) as client:
        yield client.jetstream()


async def own_stream(
    jetstream: JetStreamContext,
    config: StreamConfig,
    ledger_id: str,
    keeping: Callable[[JetStreamContext], AbstractAsyncContextManager[JetStreamContext]] = nullcontext,
) -> StreamInfo:
    """The stream of that configuration as it is now, made if it is missing.

    One that names no ledger, as earlier versions made it, is adopted; OtherLedgersStream for one of another ledger.
    `keeping`: as who it is changed.
    """
    assert config.name
    owned = {OWNER: ledger_id}
    try:
        found = await jetstream.stream_info(config.name)
    except NotFoundError:
        return await jetstream.add_stream(config.evolve(metadata=owned))
    owner = owner_of(found)
    if owner is None:
        async with keeping(jetstream) as keeper:
            return await keeper.update_stream(found.config.evolve(metadata={**(found.config.metadata or {}), **owned}))
    if owner != ledger_id:
        raise OtherLedgersStream(config.name, owner, ledger_id)
    return found


def owner_of(stream: StreamInfo) -> str | None:
    """The id of the ledger that the stream belongs to; None for one that an earlier version made."""
    return (stream.config.metadata or {}).get(OWNER)

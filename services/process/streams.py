"""Streams on JetStream belong to one ledger, which their metadata name, and are configured as they have to be."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import fields
from enum import Enum
from typing import Any

from nats.js import JetStreamContext
from nats.js.api import StreamConfig, StreamInfo
from nats.js.errors import APIError, NotFoundError, ServiceUnavailableError

from services.process.logins import nats_login
from services.process.nats_connection import connected

OWNER = "hourbook-ledger"
EPOCH = "hourbook-epoch"
KEEPER = "keeper"
REPLICAS = "HOURBOOK_NATS_REPLICAS"

OPERATORS = {"name", "description", "metadata"}
"""What of a configuration hinders nobody, whatever it is."""

RESTRICTIONS = {"deny_delete", "deny_purge"}
"""What hinders nobody where it is stricter than it has to be; JetStream does not take it back either."""


class OtherLedgersStream(Exception):
    """The stream belongs to another ledger, and stays as it is."""

    def __init__(self, stream: str, owner: str, ledger_id: str) -> None:
        super().__init__(
            f"{stream} on this NATS server belongs to ledger {owner}, and this is ledger {ledger_id}: "
            "give each ledger a NATS server, or an account of one, of its own (NATS_URL)"
        )


class StreamNotAsItHasToBe(Exception):
    """JetStream does not make a stream, or change one, so that it is as it has to be. Whoever operates NATS can."""


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
    epoch: int = 1,
) -> StreamInfo:
    """The stream as it is now: made if it is missing, changed where it is not of that configuration.

    One that names no ledger, as earlier versions made it, is adopted; OtherLedgersStream for one of another ledger,
    StreamNotAsItHasToBe where JetStream refuses. `keeping`: as who it is changed. `epoch`: the ledger's, in which one
    that is missing begins.
    """
    assert config.name
    owned = {OWNER: ledger_id}
    try:
        found = await jetstream.stream_info(config.name)
    except NotFoundError:
        return await _made(jetstream, config.evolve(metadata=owned | ({EPOCH: str(epoch)} if epoch > 1 else {})))
    owner = owner_of(found)
    if owner not in {None, ledger_id}:
        raise OtherLedgersStream(config.name, str(owner), ledger_id)
    wrong = misfits(found.config, config)
    if owner and not wrong:
        return found
    async with keeping(jetstream) as keeper:
        return await _changed(keeper, found.config, wrong, {**(found.config.metadata or {}), **owned})


async def _made(jetstream: JetStreamContext, config: StreamConfig) -> StreamInfo:
    try:
        return await jetstream.add_stream(config)
    except ServiceUnavailableError:  # there is no leader now
        raise
    except APIError as refused:
        copies = f" in {config.num_replicas} copies ({REPLICAS})" if config.num_replicas else ""
        sentence = f"NATS does not make {config.name}{copies}: {refused.description}"
        raise StreamNotAsItHasToBe(sentence) from refused


async def _changed(
    jetstream: JetStreamContext, found: StreamConfig, wrong: Mapping[str, Any], metadata: dict[str, str]
) -> StreamInfo:
    try:
        return await jetstream.update_stream(found.evolve(metadata=metadata, **wrong))
    except ServiceUnavailableError:
        raise
    except APIError as refused:
        sentence = f"{misfit_sentence(found, wrong)}, and NATS does not change it: {refused.description}"
        remedy = "put that right, or delete the stream, and it is made anew"
        raise StreamNotAsItHasToBe(f"{sentence}. On NATS, {remedy}") from refused


def misfits(found: StreamConfig, wanted: StreamConfig) -> dict[str, Any]:
    """What would have to be otherwise in a configuration; what is wanted of it is not all that there is."""
    given = {field.name: getattr(wanted, field.name) for field in fields(wanted) if field.name not in OPERATORS}
    return {
        name: value
        for name, value in given.items()
        if value is not None and value != getattr(found, name) and (value or name not in RESTRICTIONS)
    }


def misfit_sentence(found: StreamConfig, wrong: Mapping[str, Any]) -> str:
    """What is otherwise than it has to be, without a full stop."""
    named = ", ".join(f"{name} {_shown(getattr(found, name))}, not {_shown(value)}" for name, value in wrong.items())
    return f"{found.name} on NATS has {named}"


def _shown(value: Any) -> str:
    return str(value.value if isinstance(value, Enum) else value)


def owner_of(stream: StreamInfo) -> str | None:
    """The id of the ledger that the stream belongs to; None for one that an earlier version made."""
    return (stream.config.metadata or {}).get(OWNER)


def epoch_of(stream: StreamInfo) -> int:
    """In which epoch of the ledger it was begun; the first where it does not say."""
    return int((stream.config.metadata or {}).get(EPOCH, "1"))

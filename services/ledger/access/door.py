"""The door of a ledger's process: its state is the log of access, and who comes in is recorded there."""

import logging

import httpx

from contracts.access_events import DoorClosed, DoorOpened
from services.access.door import Door
from services.access.principals import LOCAL, Principal
from services.access.settings import AccessSettings, door_of
from services.access.state import admission
from services.ledger.access.log import AccessLog
from services.ledger.writing.personal_data import commit
from services.process.settings import read

logger = logging.getLogger(__name__)


async def opened_door(log: AccessLog, client: httpx.AsyncClient, *, sandbox: bool) -> Door:
    """The door as the operator has set it; recorded where it is not what was recorded last."""
    settings = read(AccessSettings)
    await log.catch_up()
    said = DoorOpened(sandbox=sandbox) if settings.access == "open" else DoorClosed(sandbox=sandbox)
    if log.state.door != said:
        await log.record(LOCAL.id, said, LOCAL.id)

    if settings.access == "closed" and not log.state.keys:
        logger.warning("the door is closed, and there is no key yet: `hourbook access begin` makes the first ones")

    async def admit(person: Principal) -> None:
        """Record what a person's token gives, before anything is done with it."""
        name = commit(person.name) if person.name else None
        kept = (name,) if name else ()
        await log.record(person.id, admission(person, name.commitment if name else None), person.id, kept)

    return door_of(settings, log, client, admit)

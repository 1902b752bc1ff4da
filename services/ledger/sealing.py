"""Who seals what this process appends: as soon as a key of seals is published, and with the newest one."""

import asyncio
import logging

from services.ledger.audit.key_files import CannotSign, SignedElsewhere
from services.ledger.audit.seal_keys import SealFiles, published, sealing_key
from services.ledger.event_store.database import Database, LedgerUnavailable
from services.ledger.event_store.identity import ledger_id_of
from services.ledger.event_store.roles import LEDGER, SIGNER
from services.ledger.event_store.seals import NotSealedNow, Sealer, SealingKey
from services.ledger.settings import Settings
from services.process.operator_error import CANNOT_START, OperatorError

logger = logging.getLogger(__name__)

RETRY_SECONDS = 0.2

_MAY_SIGN = "SELECT pg_has_role(session_user, $1::name, 'SET')"


async def opened_sealer(settings: Settings) -> Sealer | None:
    """The sealer of a process; None where nothing is sealed. Waits for PostgreSQL, and for who publishes the first key.

    OperatorError where the ledger is sealed, and this process does not have its key.
    """

    async def renewed() -> SealingKey:
        try:
            return await _key(settings)
        except CannotSign as refused:
            raise NotSealedNow(f"{refused}") from refused

    said = ""
    while True:
        try:
            if settings.seal_key_file is None:
                return await _require_unsealed(settings)
            key = await _key(settings)
            async with Database.connected(settings.database_url, 1, name="seals") as database:
                return Sealer(await ledger_id_of(database), key, renewed)
        except (LedgerUnavailable, SignedElsewhere) as waiting:
            if f"{waiting}" != said:
                logger.warning("nothing can be sealed yet: %s", waiting)
            said = f"{waiting}"
        except CannotSign as refused:
            raise OperatorError(f"HOURBOOK_SEAL_KEY_FILE: {refused}", exit_code=CANNOT_START) from refused
        await asyncio.sleep(RETRY_SECONDS)


async def _key(settings: Settings) -> SealingKey:
    """The newest key; NotSealedNow before there is one. The first is published by who may sign in the database too."""
    assert settings.seal_key_file is not None
    async with Database.connected(settings.database_url, 1, name="seals") as database:
        may_sign = await database.value(_MAY_SIGN, SIGNER)
    files = SealFiles(settings.seal_key_file, settings.audit_key_file, publishes=may_sign)
    role = SIGNER if may_sign else LEDGER
    async with Database.connected(settings.database_url, 1, name="seals", role=role) as database:
        key = await sealing_key(database, settings.logs, files)
    if key is None:
        raise NotSealedNow("no key of seals is published; a process that has HOURBOOK_AUDIT_KEY_FILE too does that")
    return key


async def _require_unsealed(settings: Settings) -> None:
    async with Database.connected(settings.database_url, 1, name="seals") as database:
        if await published(database):
            raise CannotSign("Appends to this ledger are sealed: set it to the file of the key that seals.")

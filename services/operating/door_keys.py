"""The keys that `hourbook up` makes where the door is closed: one for each role, in files of its data folder."""

import platform
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from contracts.access import KeyRequest, Role
from services.access.caller import OWNERS_KEY
from services.access.keys import Credential
from services.access.principals import SYSTEM
from services.access.state import AccessState
from services.ledger.access.keys import Keys
from services.ledger.access.log import AccessLog
from services.ledger.clock import Clock, SandboxClock, SystemClock
from services.ledger.event_store.database import LogWentBack
from services.ledger.event_store.store import EventStore
from services.ledger.sealing import opened_sealer
from services.ledger.settings import Settings
from services.process.file_replacement import replace_file

FOLDER = OWNERS_KEY.parent.name
OWNER = OWNERS_KEY.stem
FOLLOWER = Role.FOLLOWER.value
BILLING = "billing"
CONNECTOR = "connector"
OF_ONE_ROLE = (
    Role.RECORDER, Role.FINANCE, Role.MANAGER, Role.AUDITOR, Role.READER, Role.ADMIN, Role.FOLLOWER,
)  # fmt: skip
ROLES_OF: Mapping[str, frozenset[Role]] = {
    OWNER: frozenset(Role),
    BILLING: frozenset({Role.READER, Role.FOLLOWER}),
    CONNECTOR: frozenset({Role.RECORDER}),
    **{role.value: frozenset({role}) for role in OF_ONE_ROLE},
}
"""By the name of its file: `customer` is not among them, for a customer's key names accounts."""

NAME_LENGTH_MAX = 100


def file_of(data: Path, name: str) -> Path:
    """Where a data folder keeps the key of that name."""
    return data / FOLDER / f"{name}.key"


async def keep_keys(settings: Settings, data: Path, say: Callable[[str], None]) -> None:
    """Make every key that has no file yet, straight in the log of access; the others stay as they are.

    A key whose file was lost is revoked once another is made, for nobody knows who has the file. Keys are made on the
    database itself: whoever runs this owns the server.
    """
    folder = data / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    sealer = await opened_sealer(settings)
    async with EventStore.connected(settings.database_url, settings.logs, sealer) as store:
        clock: Clock = SandboxClock(store.readers) if settings.sandbox else SystemClock()
        log = AccessLog(store, clock)
        await log.catch_up()
        missing = [name for name in ROLES_OF if not _stands(file_of(data, name), log.state, say)]
        if missing:
            try:
                await _make(Keys(log, SYSTEM["operator"]), missing, data)
                say(f"keys are made in {folder}, one for each role, and owner.key for all: {', '.join(missing)}")
            except LogWentBack as lost:
                say(f"{lost}")


def _stands(file: Path, state: AccessState, say: Callable[[str], None]) -> bool:
    """Whether the file holds a key of this ledger. One that does not work any more stays: somebody wanted it so."""
    text = file.read_bytes().decode("latin-1").strip() if file.exists() else ""
    credential = Credential.parse(text)
    if credential is None or credential.key_id not in state.keys:
        return False
    if reason := state.refusal(credential, datetime.now(UTC)):
        say(f"{file} does not work: {reason}. Delete it to have another key made at the next start")
    return True


async def _make(keys: Keys, names: list[str], data: Path) -> None:
    earlier = await keys.listed()
    for name in names:
        called = _called(name, data)
        made = await keys.make(KeyRequest(name=called, roles=ROLES_OF[name]))
        replace_file(file_of(data, name), f"{made.credential}\n")
        for key in earlier:
            if key.name == called and key.revoked_at is None:
                await keys.revoke(key.key_id, "its file was lost")


def _called(name: str, data: Path) -> str:
    """What the key of a data folder is called in lists: another folder on the same database has keys of its own."""
    of = f"{name} of "
    return of + f"{platform.node()}:{data}"[-(NAME_LENGTH_MAX - len(of)) :]

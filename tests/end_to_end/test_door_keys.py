"""The keys that a start makes: kept by every later start, and only what was lost is made anew."""

from pathlib import Path

import pytest

from services.access.keys import Credential
from services.access.principals import SYSTEM
from services.ledger.access.keys import Keys
from services.ledger.access.log import AccessLog
from services.ledger.clock import SystemClock
from services.ledger.event_store.store import EventStore
from services.ledger.running import prepared
from services.ledger.settings import Settings
from services.operating.door_keys import FOLDER, OWNER, ROLES_OF, file_of, keep_keys
from tests.databases import Databases


@pytest.fixture
async def settings(database_url: str) -> Settings:
    await prepared(database_url, 1)
    return Settings(database_url=database_url, logs=1)


async def started(settings: Settings, data: Path) -> list[str]:
    """What a start with that folder says of its keys."""
    said: list[str] = []
    await keep_keys(settings, data, said.append)
    return said


def kept(data: Path) -> dict[str, str]:
    return {file.stem: file.read_text() for file in (data / FOLDER).iterdir()}


async def revoked(settings: Settings, *revoking: str) -> set[str]:
    """The keys that are revoked, after these are too."""
    async with EventStore.connected(settings.database_url, 1) as store:
        log = AccessLog(store, SystemClock())
        await log.catch_up()
        for key_id in revoking:
            await Keys(log, SYSTEM["operator"]).revoke(key_id, "test")
        return {key.key_id for key in log.state.keys.values() if key.revoked_at}


def key_id(text: str) -> str:
    credential = Credential.parse(text.strip())
    assert credential
    return credential.key_id


async def test_a_later_start_keeps_every_key_and_says_nothing(settings: Settings, tmp_path: Path):
    assert len(await started(settings, tmp_path)) == 1
    first = kept(tmp_path)
    assert first.keys() == ROLES_OF.keys()
    assert await started(settings, tmp_path) == []
    assert kept(tmp_path) == first


@pytest.mark.parametrize("content", [None, "", "scribble", "hb1_aaaaaaaaaaaaaaaa_" + "x" * 43])
async def test_a_file_that_is_lost_is_made_anew_and_its_key_is_revoked(
    settings: Settings, tmp_path: Path, content: str | None
):
    await started(settings, tmp_path)
    first = kept(tmp_path)
    file = file_of(tmp_path, OWNER)
    file.unlink() if content is None else file.write_text(content)
    (said,) = await started(settings, tmp_path)
    assert OWNER in said
    assert "recorder" not in said
    after = kept(tmp_path)
    assert {name for name in ROLES_OF if after[name] != first[name]} == {OWNER}
    assert await revoked(settings) == {key_id(first[OWNER])}
    assert file.stat().st_mode & 0o777 == 0o600


async def test_what_was_revoked_stays_revoked_and_is_said(settings: Settings, tmp_path: Path):
    await started(settings, tmp_path)
    first = kept(tmp_path)
    await revoked(settings, key_id(first["finance"]))
    (said,) = await started(settings, tmp_path)
    assert "finance.key does not work" in said
    assert kept(tmp_path) == first


async def test_another_folder_on_the_same_database_has_keys_of_its_own(settings: Settings, tmp_path: Path):
    await started(settings, tmp_path / "one")
    await started(settings, tmp_path / "other")
    assert await revoked(settings) == set()
    assert not set(kept(tmp_path / "one").values()) & set(kept(tmp_path / "other").values())


async def test_another_ledger_under_an_old_folder_is_given_new_keys(
    settings: Settings, tmp_path: Path, databases: Databases
):
    await started(settings, tmp_path)
    first = kept(tmp_path)
    async with databases.empty() as url:
        await prepared(url, 1)
        await started(Settings(database_url=url, logs=1), tmp_path)
    assert not set(first.values()) & set(kept(tmp_path).values())

"""Of a real export, verify.py tells what the ledger itself appended, though the ledger has signed what it did not."""

import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from contracts.placement import every_log, log_of
from services.ledger.app import create_api
from services.ledger.audit.checkpointer import Checkpointer
from services.ledger.event_store.database import Database
from services.ledger.event_store.roles import SIGNER
from services.ledger.event_store.seals import NEWEST_FORM
from tests.auditing.paper_log import compressed, lines_in, manifest
from tests.ledger.audit.earlier_seal_keys import publish_keys_of_form
from tests.ledger.audit.mutations import REHASH
from tests.ledger.audit.tampering import as_superuser
from tests.ledger.http.test_audit_export import OPEN, exported, verified
from tests.ledger.serving import serving

ACCOUNTS = [f"account-{number}" for number in range(4)]


@pytest.fixture(params=[1, 3], ids=["one log", "three logs"])
def logs(request: pytest.FixtureRequest) -> int:
    return request.param


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    return tmp_path / "audit" / "key.pem"


@asynccontextmanager
async def service(database_url: str, key_file: Path, logs: int, *, seals: bool = True) -> AsyncIterator[str]:
    """The address of a process of a ledger, one that seals or one that does not yet."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("NATS_URL", "HOURBOOK_PROJECTIONS_URL", "HOURBOOK_AUDIT_KEY_FILE", "HOURBOOK_SEAL_KEY_FILE"):
            patch.delenv(name, raising=False)
        patch.setenv("DATABASE_URL", database_url)
        patch.setenv("HOURBOOK_LOGS", str(logs))
        patch.setenv("HOURBOOK_SANDBOX", "1")
        if seals:
            patch.setenv("HOURBOOK_AUDIT_KEY_FILE", str(key_file))
            patch.setenv("HOURBOOK_SEAL_KEY_FILE", str(key_file.with_name("seal.pem")))
        async with serving(create_api) as address:
            yield address


async def record(url: str, *accounts: str) -> None:
    """These accounts are opened together, and each buys a package in an append of its own."""
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=60) as client:
        lines = [json.dumps(OPEN | {"account_id": each, "idempotency_key": each}) for each in accounts]
        answer = await client.post("/v1/commands", content="\n".join(lines).encode())
        assert {json.loads(line)["status"] for line in answer.text.splitlines()} == {201}
        for each in accounts:
            bought = {"package_id": "p1", "plan": "hours-20", "purchased_at": datetime.now(UTC).isoformat()}
            headers = {"Idempotency-Key": f"{each}-buys"}
            (await client.post(f"/v1/accounts/{each}/packages", json=bought, headers=headers)).raise_for_status()


async def sign(database_url: str, key_file: Path, logs: int) -> None:
    async with Database.connected(database_url, 2, role=SIGNER) as database:
        for log_id in every_log(logs):
            await Checkpointer(database, log_id, key_file, real_time=False).catch_up()


def appended(account_id: str, logs: int) -> str:
    """An account buys once more: what fits the rules, with all that can be worked out."""
    log = log_of(account_id, logs)
    return f"""
        INSERT INTO ledger.event (log_id, position, account_id, version, event_id, command_id, fingerprint, type,
            schema_version, recorded_at, data, hash, actor)
        SELECT {log}, (SELECT max(position) + 1 FROM ledger.event WHERE log_id = {log}), account_id, version + 1,
            gen_random_uuid(), 'k', sha256(''), type, schema_version, recorded_at,
            replace(data::text, '"p1"', '"p2"')::json, '', actor
        FROM ledger.event WHERE log_id = {log} AND account_id = '{account_id}' AND type = 'PackagePurchased'
    """


@pytest.mark.parametrize("form", [1, NEWEST_FORM])
async def test_logs_without_seals_and_logs_that_go_on_with_them_hold(
    database_url: str, key_file: Path, logs: int, tmp_path: Path, form: int, monkeypatch: pytest.MonkeyPatch
):
    publish_keys_of_form(form, monkeypatch)
    async with service(database_url, key_file, logs, seals=False) as url:
        await record(url, *ACCOUNTS[:2])
        await sign(database_url, key_file, logs)
        code, said = verified(await exported(url, tmp_path / "unsealed"))
        assert (code, "are not sealed" in said) == (0, True), said
    async with service(database_url, key_file, logs) as url:
        await record(url, *ACCOUNTS[2:])
        await sign(database_url, key_file, logs)
        code, said = verified(await exported(url, tmp_path / "sealed"))
        assert code == 0, said
        counted = re.findall(r"(\d+) events sealed by the ledger, (\d+) from before", said)
        sealed, unsealed = (sum(map(int, column)) for column in zip(*counted, strict=True))
        assert sealed == 2 * len(ACCOUNTS[2:])
        assert unsealed > 2 * len(ACCOUNTS[:2]), "those about access, too"
        for account_id in ACCOUNTS:
            code, said = verified(await exported(url, tmp_path / account_id, account_id=account_id))
            assert code == 0, said


async def test_appends_of_two_processes_hold_wherever_they_came_to_stand(
    database_url: str, key_file: Path, logs: int, tmp_path: Path
):
    """Each expects its appends where the log ended for it."""
    async with service(database_url, key_file, logs) as one, service(database_url, key_file, logs) as other:
        for number, url in enumerate((one, other, one)):
            await record(url, *(f"{each}-{number}" for each in ACCOUNTS))
        await sign(database_url, key_file, logs)
        for name, wanted in {"all": {}, "part": {"account_id": f"{ACCOUNTS[1]}-2"}}.items():
            code, said = verified(await exported(one, tmp_path / name, **wanted))
            assert code == 0, said


async def test_what_was_appended_past_the_ledger_is_a_finding(
    database_url: str, key_file: Path, logs: int, tmp_path: Path
):
    """In an export of everything and in one of the account alone, at once and when the log has gone on."""
    async with service(database_url, key_file, logs) as url:
        await record(url, *ACCOUNTS[:3])
        await as_superuser(database_url, appended(ACCOUNTS[0], logs), REHASH)
        for when in ("at once", "later"):
            await sign(database_url, key_file, logs)
            for name, wanted in {f"all {when}": {}, f"part {when}": {"account_id": ACCOUNTS[0]}}.items():
                code, said = verified(await exported(url, tmp_path / name, **wanted))
                findings = [line for line in said.splitlines() if line.startswith("FINDING")]
                assert code == 1, said
                assert all("seal" in line for line in findings), said
            if when == "at once":
                await record(url, ACCOUNTS[3])


SEALS_CHANGED = {
    "a bit of each seal": "UPDATE ledger.event SET seal = set_bit(seal, 400, 1 - get_bit(seal, 400))",
    "all seals deleted": "UPDATE ledger.event SET seal = NULL",
    "the keys of seals deleted too": "ALTER TABLE ledger.seal_key DISABLE TRIGGER ALL; DELETE FROM ledger.seal_key",
}


async def test_seals_that_were_changed_or_deleted_are_a_finding(
    database_url: str, key_file: Path, logs: int, tmp_path: Path
):
    async with service(database_url, key_file, logs) as url:
        await record(url, *ACCOUNTS)
        await sign(database_url, key_file, logs)
        for what, change in SEALS_CHANGED.items():
            await as_superuser(database_url, change)
            for name, wanted in {what: {}, f"part, {what}": {"account_id": ACCOUNTS[1]}}.items():
                code, said = verified(await exported(url, tmp_path / name, **wanted))
                assert code == 1, said


def told(**changes: object) -> Callable[[list[bytes]], list[bytes]]:
    """The last line says something else."""
    return lambda lines: [*lines[:-1], json.dumps(json.loads(lines[-1]) | changes).encode()]


FILE = {
    "no line": lambda _: [],
    "not the last": lambda lines: lines[:-1],
    "not the first": lambda lines: lines[1:],
    "the last twice": lambda lines: [*lines, lines[-1]],
    "in another order": lambda lines: lines[::-1],
    "the seal of another": lambda lines: told(seal=json.loads(lines[0])["seal"])(lines),
    "a seal of nothing": told(seal="00" * 104),
    "a seal without a place": lambda lines: told(seal=json.loads(lines[-1])["seal"][:192])(lines),
    "another place": lambda lines: told(seal=f"{json.loads(lines[-1])['seal'][:192]}{1:016x}")(lines),
    "a place without end": lambda lines: told(seal=json.loads(lines[-1])["seal"] + "99" * 5000)(lines),
    "a short seal": told(seal="00"),
    "no end": told(last=2**60),
    "no positions": told(first="1"),
    "others": told(others=["00" * 32]),
    "others of another form": told(others="none"),
    "others, very many": told(last=2**60, others=["00" * 32] * 9),
    "something else": lambda lines: [*lines, b"[]"],
    "no JSON": lambda lines: [*lines, b"{"],
}  # fmt: skip


async def test_an_export_whose_seals_were_changed_is_a_finding(database_url: str, key_file: Path, tmp_path: Path):
    async with service(database_url, key_file, 1) as url:
        await record(url, *ACCOUNTS)
        await sign(database_url, key_file, 1)
        folder = await exported(url, tmp_path / "export")
    assert verified(folder)[0] == 0
    kept = lines_in(folder / "log-0.seals.gz")
    for what, change in FILE.items():
        compressed(folder / "log-0.seals.gz", change(kept))
        manifest(folder)
        code, said = verified(folder)
        assert (code, "Traceback" in said) == (1, False), what
    (folder / "log-0.seals.gz").unlink()
    manifest(folder)
    assert verified(folder)[0] == 1
    keys = json.loads((folder / "keys.json").read_text("utf-8"))
    (folder / "keys.json").write_text(json.dumps(keys | {"seals": []}), "utf-8")
    manifest(folder)
    code, said = verified(folder)
    assert (code, "keys of seals" in said) == (1, True), said

"""Whatever the owner of the database does to log and read models is found, or harmless by a proof that is named.

The attacker recomputes what can be recomputed, and everything is started again: signer and auditor go by their files.
The suite tries some attacks once, with four logs; `make campaign-audit` each 24 times, with one log and with four.
"""

import os
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from random import Random
from shutil import copytree
from typing import NamedTuple
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import pytest

from contracts.placement import every_log
from services.auditing.auditor import Audit
from services.auditing.side_tables import TABLES
from services.ledger.audit.checkpointer import Checkpointer
from services.ledger.audit.key_files import CannotSign
from services.ledger.event_store.store import EventStore
from tests.auditing.database_attacks import (
    ATTACKS,
    HARMLESS,
    Attack,
    Target,
    a_name,
    an_event_and_all_that_is_made_of_it,
    an_event_more,
    guards_up,
    money_everywhere_in_the_reports,
    when_packages_are_due,
)
from tests.auditing.projected import projected_sample
from tests.databases import Databases
from tests.ledger.roles import EVERY

CAMPAIGN = os.environ.get("HYPOTHESIS_PROFILE") == "campaign"
RUN = os.environ.get("PYTEST_XDIST_TESTRUNUID") if CAMPAIGN else "suite"
TIMES = int(os.environ.get("TIMES", "24")) if CAMPAIGN else 1
LOGS = (1, 4) if CAMPAIGN else (4,)
IN_THE_SUITE = (
    money_everywhere_in_the_reports, an_event_and_all_that_is_made_of_it, an_event_more, a_name,
    when_packages_are_due,
)  # fmt: skip
REPORT = Path(".bench") / f"campaign-audit-{os.environ.get('PYTEST_XDIST_WORKER', 'all')}.txt"
SHOWN = ("ledger.event", "ledger.checkpoint", "ledger.tile", *(f"projections.{table}" for table in TABLES))


class Sample(NamedTuple):
    """The database of a ledger that was signed and found good, which is copied for each attack, and its files."""

    url: str
    logs: int
    folder: Path


@pytest.fixture(scope="module")
async def samples(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[dict[int, Sample]]:
    """By how many logs it has."""
    async with AsyncExitStack() as opened:
        made = {
            logs: Sample(await opened.enter_async_context(databases.empty()), logs, tmp_path_factory.mktemp("files"))
            for logs in LOGS
        }
        for sample in made.values():
            await projected_sample(sample.url, sample.logs, sample.folder / "key.pem")
            assert not await signer_and_auditor(sample)
        yield made


async def signer_and_auditor(sample: Sample) -> list[str]:
    """What the signer refuses and the audit finds, once both are started again."""
    found: list[str] = []
    async with EventStore.connected(sample.url, sample.logs, role=EVERY) as store:
        for log_id in every_log(sample.logs):
            try:
                await Checkpointer(store.readers, log_id, sample.folder / "key.pem", real_time=False).catch_up()
            except CannotSign as refused:
                found.append(f"the signer refuses: {refused}")
    audit = Audit(sample.url, sample.logs, sample.folder / "verified.json")
    findings = await audit.run(full=True)
    return found + [fault for each in findings.values() for fault in each.faults]


@pytest.fixture
async def copies(samples: dict[int, Sample], tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Sample]:
    """A copy of everything, to be attacked."""
    sample = samples[request.param]
    name, of = f"test_{uuid4().hex}", urlsplit(sample.url).path.removeprefix("/")
    server = await asyncpg.connect(urlsplit(sample.url)._replace(path="/postgres").geturl())
    await server.execute(f"CREATE DATABASE {name} TEMPLATE {of}")
    copytree(sample.folder, tmp_path / "files")
    yield Sample(urlsplit(sample.url)._replace(path=f"/{name}").geturl(), sample.logs, tmp_path / "files")
    await server.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await server.close()


@pytest.fixture(scope="module")
def verdicts() -> Iterator[Counter[tuple[str, int, str]]]:
    """By attack and number of logs, what came of it; a campaign writes it down."""
    counted: Counter[tuple[str, int, str]] = Counter()
    yield counted
    if CAMPAIGN:
        REPORT.parent.mkdir(exist_ok=True)
        lines = (f"{attack}, {logs} logs: {times} {verdict}" for (attack, logs, verdict), times in counted.items())
        REPORT.write_text("\n".join(sorted(lines)) + "\n", encoding="utf-8")


CASES = [
    pytest.param(logs, attack, time, id=f"{logs}-{attack.__name__}-{time}")
    for attack in (ATTACKS if CAMPAIGN else IN_THE_SUITE)
    for logs in LOGS
    for time in range(TIMES)
]


@pytest.mark.parametrize(("copies", "attack", "time"), CASES, indirect=["copies"])
async def test_it_is_found_or_harmless(
    copies: Sample, attack: Attack, time: int, verdicts: Counter[tuple[str, int, str]]
):
    owner = await asyncpg.connect(copies.url)
    target = Target(copies.url, copies.logs, owner)
    before = await shown(owner)
    await attack(target, Random(f"{RUN} {attack.__name__} {copies.logs} {time}"))
    await guards_up(target)
    found = await signer_and_auditor(copies)
    if attack in HARMLESS:
        assert found == []
        assert await shown(owner) == before, HARMLESS[attack]
    else:
        assert found
    verdicts[attack.__name__, copies.logs, f"harmless: {HARMLESS[attack]}" if attack in HARMLESS else "found"] += 1
    await owner.close()


async def shown(owner: asyncpg.Connection) -> dict[str, str]:
    """All that anybody is shown comes from these rows."""
    of = "SELECT md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) FROM {} AS t"
    return {table: await owner.fetchval(of.format(table)) for table in SHOWN}

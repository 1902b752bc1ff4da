"""A month of the portal beside the ledger's: each kind of difference is made, and named rightly."""

import asyncio
from collections import Counter
from datetime import datetime

from contracts.drift import DriftKind
from services.bitrix24.comparison import compared
from services.bitrix24.recording import Rounds
from tests.bitrix24.fake_portal import SECRET
from tests.bitrix24.trade import OKA, SELLERS, SETTINGS, VOLGA, at, caught_up, confirmed
from tests.end_to_end.program import program
from tests.ledger.serving import serving

MONTH = "2026-03"


def moment(day: str) -> datetime:
    return at(f"{day} 18:00")


async def test_each_kind_of_difference_is_named_and_agreement_is_counted(fake, portal, hourbook):
    _agreed, reopened, moved, deleted, grown, urgent = (confirmed(fake) for _ in range(6))
    await Rounds(portal, hourbook, SETTINGS).next()
    fake.set_status(reopened, 3, SELLERS, moment("2026-03-04"))
    fake.move(moved, VOLGA, SELLERS, moment("2026-03-04"))
    del fake.tasks[deleted]
    fake.work(grown, SELLERS, at("2026-03-02 15:00"), 600)
    fake.tasks[urgent].tags = ("срочно",)
    missed = confirmed(fake)
    idle = confirmed(fake, minutes=0)
    confirmed(fake, day="2026-04-01")
    await caught_up(hourbook)

    found = await compared(portal, hourbook, SETTINGS, MONTH)

    assert found.agreed == 1
    assert {each.task_id: each.kind for each in found.differences} == {
        f"B24-{reopened}": DriftKind.REOPENED,
        f"B24-{moved}": DriftKind.MOVED,
        f"B24-{deleted}": DriftKind.DELETED,
        f"B24-{grown}": DriftKind.MINUTES,
        f"B24-{urgent}": DriftKind.CHANGED,
        f"B24-{missed}": DriftKind.NOT_CHARGED,
        f"B24-{idle}": DriftKind.UNDECIDED,
    }
    assert Counter(each.account_id for each in found.differences) == {"oka": 6, "volga": 1}


async def test_what_the_ledger_would_refuse_is_told_in_its_words(fake, portal, hourbook):
    confirmed(fake, tags=("срочно",))

    (found,) = (await compared(portal, hourbook, SETTINGS, MONTH)).differences

    assert found.kind == DriftKind.REFUSED
    assert "urgency-not-agreed-before-start" in found.sentence


async def test_the_command_prints_the_differences_and_fails(fake, hourbook, tmp_path):
    missed = confirmed(fake)
    async with serving(lambda: fake.app) as portal_url:
        settings = tmp_path / "portal.toml"
        settings.write_text(
            f'webhook = "{portal_url}/rest/{SECRET}/"\nsince = 2026-01-01\n[accounts]\n{OKA} = "oka"\n',
            encoding="utf-8",
        )
        line = ("bitrix24", "check", settings, MONTH, "--url", str(hourbook.base_url))

        told = await asyncio.to_thread(program, *line, COLUMNS="200")
        fake.revoked = True
        refused = await asyncio.to_thread(program, *line)

    assert told.returncode == 1, told.stderr
    assert f"B24-{missed}" in told.stdout
    assert "0 tasks of 2026-03 agree, 1 differ" in told.stdout
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "The portal cannot be read: " in refused.stderr
    assert SECRET not in told.stdout + told.stderr + refused.stderr


async def test_nothing_is_recorded(fake, portal, hourbook):
    confirmed(fake)
    before = (await hourbook.get("/v1/log")).content

    await compared(portal, hourbook, SETTINGS, MONTH)

    assert (await hourbook.get("/v1/log")).content == before

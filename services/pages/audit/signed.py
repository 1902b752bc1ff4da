"""How far each log is signed, from its newest checkpoint, and what its last verification found."""

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime

from contracts.audit import LogVerification
from services.pages.api import Api, ApiProblem
from services.pages.audit.log import head_of

NOT_FOUND = 404


@dataclass(frozen=True)
class Signed:
    """A log, how many events it has, and how many of them its newest checkpoint covers; None before the first."""

    log: int
    events: int
    size: int | None = None
    signed_at: datetime | None = None
    witnesses: tuple[str, ...] = ()
    verification: LogVerification | None = None
    """What the auditor's process found last; None before its first run."""


async def signed_logs(api: Api) -> list[Signed]:
    """Every log of accounts; the checkpoint of the first says how many there are."""
    found = [await _signed(api, 0)]
    note = await _note(api, 0)
    logs = next((int(line[5:]) for line in note.splitlines() if line.startswith("logs ")), 1)
    found += await asyncio.gather(*(_signed(api, log) for log in range(1, logs)))
    last = {each.log: each for each in await api.get(list[LogVerification], "/v1/audit/verifications")}
    return [replace(each, verification=last.get(each.log)) for each in found]


async def _signed(api: Api, log: int) -> Signed:
    events = await head_of(api, log)
    note = await _note(api, log)
    if not note:
        return Signed(log, events)
    text, _, below = note.rpartition("\n\n")
    origin, size, _, *further = text.split("\n")
    made = next((line[5:] for line in further if line.startswith("time ")), None)
    signers = [line.split(" ")[1] for line in below.splitlines()]
    witnesses = tuple(name for name in signers if name != origin)
    return Signed(log, events, int(size), datetime.fromisoformat(made) if made else None, witnesses)


async def _note(api: Api, log: int) -> str:
    """The newest checkpoint; empty where nothing has been signed yet."""
    try:
        return (await api.ask("GET", "/v1/audit/checkpoint", params={"log": log})).text
    except ApiProblem as refused:
        if refused.problem.status != NOT_FOUND:
            raise
        return ""

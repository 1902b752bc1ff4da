"""A month closed for all accounts at once, over HTTP, with what came of it for each."""

from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import httpx
import orjson
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from contracts.drift import Drift
from services.access.caller import Caller
from services.operating.logs import heads
from services.process.operator_error import OperatorError

ANSWER_SECONDS_MAX = 300
PAGE_ROWS = 1000
BEHIND_TRIES = 30
IS_CLOSED = {"closed", "already closed"}
"""The outcomes after which the month is closed, by this command or by an earlier one."""


class Closing(NamedTuple):
    """What came of one account: `closed`, `already closed`, or `refused`, with the reason."""

    account_id: str
    outcome: str
    why: str = ""


async def close_month(
    month: str, caller: Caller, accounts: Iterable[str], answers: Path | None, console: Console
) -> AsyncIterator[Closing]:
    """Close the month of these accounts, of all where none is named, in one stream of commands.

    It may be repeated after anything: a month that is closed is left alone, one that was reopened is closed again.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with ExitStack() as closing:
        progress = closing.enter_context(Progress(*columns, console=console))
        kept = closing.enter_context(answers.open("wb")) if answers else None
        async with caller.async_client(ANSWER_SECONDS_MAX) as client:
            asked = list(dict.fromkeys(accounts)) or [account_id async for account_id in _all_accounts(client)]
            task = progress.add_task(f"closing {month}", total=len(asked))
            async with client.stream("POST", "/v1/commands", content=_commands(month, asked)) as response:
                response.raise_for_status()
                async for line in response.aiter_lines():
                    answer = orjson.loads(line)
                    account_id = asked[answer["line"] - 1]
                    if kept:
                        kept.write(orjson.dumps({"account_id": account_id, **answer}) + b"\n")
                    progress.advance(task)
                    yield _closing(account_id, answer)


async def drift_of(month: str, caller: Caller) -> str | None:
    """How the month compares with the portal that its work comes from, in a sentence; None where nobody has said.

    It keeps no month from being closed: a key that may not see it closes months all the same.
    """
    try:
        async with caller.async_client() as client:
            answer = await client.get("/v1/drift", params={"month": month})
    except OperatorError:
        return None
    found = Drift.model_validate_json(answer.raise_for_status().content)
    if found.compared_at is None:
        return None
    kinds = Counter(item.kind.value for item in found.items)
    differing = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items())) or "none differs"
    return f"portal and ledger agree on {found.agreed} tasks; {differing} ({found.compared_at.isoformat()})"


async def _all_accounts(client: httpx.AsyncClient) -> AsyncIterator[str]:
    """Page after page, of everything that the logs have now: an account that is not listed would be left out."""
    minimum = max(await heads(client), default=0)
    cursor: dict[str, str] = {}
    while True:
        page = await _page(client, {"limit": str(PAGE_ROWS), **cursor}, minimum)
        for account in page["accounts"]:
            yield account["account_id"]
        if page["next_cursor"] is None:
            return
        cursor = {"cursor": page["next_cursor"]}


async def _page(client: httpx.AsyncClient, asked: dict[str, str], minimum: int) -> dict[str, Any]:
    """A page of accounts as of that position; OperatorError if the projections do not come so far in time."""
    for _ in range(BEHIND_TRIES):  # each waits for two seconds
        answer = await client.get("/v1/accounts", params=asked, headers={"Hourbook-Min-Position": str(minimum)})
        if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
            return answer.raise_for_status().json()
        if not answer.json()["type"].endswith(":projection-behind"):
            break
    raise OperatorError(
        f"No month was closed: the list of accounts does not reach the end of the log yet. {answer.json()['detail']} "
        "See /health/details; name accounts with --account to close their month meanwhile."
    )


async def _commands(month: str, accounts: Iterable[str]) -> AsyncIterator[bytes]:
    """With keys of this run's own: a key that had closed the month before it was reopened would only be replayed."""
    run = uuid4()
    for account_id in accounts:
        command = {"command": "CloseMonth", "account_id": account_id, "month": month}
        yield orjson.dumps(command | {"idempotency_key": f"close-{month}-{account_id}-{run}"}) + b"\n"


def _closing(account_id: str, answer: dict[str, Any]) -> Closing:
    if answer["status"] == 201:
        return Closing(account_id, "closed")
    slug = answer["type"].rpartition(":")[2]
    if slug == "month-already-closed":
        return Closing(account_id, "already closed")
    return Closing(account_id, "refused", f"{slug}: {answer['detail']}")

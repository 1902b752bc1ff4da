"""The deeds of a book told to the ledger: tried first, all of them, then recorded; by the public routes alone."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

import httpx
import orjson

from contracts.sending import RecipientList, Recipients, RecipientsBody
from services.access.caller import detail_of
from services.onboarding.judgement import Deed, Named
from services.onboarding.rows import Fault
from services.process.operator_error import OperatorError

ACCOUNTS_AT_ONCE = 200
KNOWN_SECONDS_MAX = 120
ASK_AGAIN_SECONDS = 0.5
AGAIN = "Run the command again."
NDJSON = {"Content-Type": "application/x-ndjson"}
COLUMN_OF = {
    "account-already-open": "account_id", "account-not-found": "account_id", "unknown-plan": "plan",
    "package-already-purchased": "package_id", "worked-time-not-in-quantum": "worked_minutes",
    "task-not-confirmed": "confirmed_at", "confirmed-before-closed": "confirmed_at",
    "started-after-closed": "started_at", "urgency-not-agreed-before-start": "urgency_agreed_at",
    "off-hours-not-requested-before-start": "off_hours_requested_at", "task-already-closed": "task_id",
    "specification-not-agreed": "package_use_agreed_at",
}  # fmt: skip
"""Where to look in a row, for refusals that name no field."""

Progress = Callable[[int], None]
"""Told how many rows more are done."""


class Recorded(NamedTuple):
    """What was refused after all, and by account the position of its last event."""

    faults: Sequence[Fault]
    positions: Mapping[str, int]


def tried(client: httpx.Client, deeds: Sequence[Deed], progress: Progress, *, at_fault: bool) -> list[Fault]:
    """What the ledger would refuse, by row; nothing is recorded.

    `at_fault`: other rows are, maybe that of a customer whom the ledger does not know therefore.
    """
    not_open: set[str] = {deed.account_id for deed in deeds} if at_fault else set()
    answers = _answers(client, deeds, progress, {"dry_run": "true"})
    return [fault for deed, answer in answers for fault in _faults(deed, answer, not_open)]


def recorded(client: httpx.Client, deeds: Sequence[Deed], progress: Progress) -> Recorded:
    """Record them. What was recorded before is answered as it was then."""
    faults: list[Fault] = []
    positions: dict[str, int] = {}
    not_open: set[str] = set()
    for deed, answer in _answers(client, deeds, progress, {}):
        faults += _faults(deed, answer, not_open)
        positions[deed.account_id] = max(answer.get("position", 0), positions.get(deed.account_id, 0))
    return Recorded(faults, positions)


def known(client: httpx.Client, path: str, position: int, asked: Mapping[str, str] | None = None) -> Any:
    """What a read model answers once it knows this position; OperatorError where it does not within two minutes.

    Each read model catches up by itself: that one knows a position says nothing of another.
    """
    end = time.monotonic() + KNOWN_SECONDS_MAX
    at_least = {"Hourbook-Min-Position": str(position)}
    while not (answer := client.get(path, params=asked, headers=at_least)).is_success:
        if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE or time.monotonic() > end:
            raise OperatorError(f"Everything is recorded, but {path} cannot be read: {detail_of(answer)} {AGAIN}")
        time.sleep(ASK_AGAIN_SECONDS)
    return answer.json()


def _answers(
    client: httpx.Client, deeds: Sequence[Deed], progress: Progress, asked: Mapping[str, str]
) -> Iterator[tuple[Deed, dict[str, Any]]]:
    for some in _by_accounts(deeds):
        content = b"\n".join(deed.line for deed in some)
        answer = client.post("/v1/commands", params=asked, content=content, headers=NDJSON)
        if not answer.is_success:
            raise OperatorError(f"Hourbook does not take the rows: {detail_of(answer)} {AGAIN}")
        yield from zip(some, map(orjson.loads, answer.content.splitlines()), strict=True)
        progress(len(some))


def _by_accounts(deeds: Sequence[Deed]) -> Iterator[list[Deed]]:
    """The deeds of so many accounts at once: those of one account stay together."""
    accounts = [list(found) for _, found in groupby(deeds, key=lambda deed: deed.account_id)]
    for at in range(0, len(accounts), ACCOUNTS_AT_ONCE):
        yield [deed for of_account in accounts[at : at + ACCOUNTS_AT_ONCE] for deed in of_account]


def _faults(deed: Deed, answer: Mapping[str, Any], not_open: set[str]) -> Iterator[Fault]:
    """`not_open`: accounts whose opening was refused, of which nothing more need be said."""
    if answer["status"] < 300:
        return
    if answer["status"] in {401, 403, 429, 503}:
        raise OperatorError(f"Hourbook does not take the rows: {answer['detail']} {AGAIN}")
    slug = answer["type"].rpartition(":")[2]
    if slug == "account-not-found" and deed.account_id in not_open:
        return
    if deed.command["command"] == "OpenAccount":
        not_open.add(deed.account_id)
    if not answer.get("fields"):
        yield deed.row.fault(COLUMN_OF.get(slug, ""), answer["detail"])
    for each in answer.get("fields", ()):
        yield deed.row.fault(each["field"], f"{answer['title']} {each['remedy']}")


def unknown_accounts(client: httpx.Client, named: Iterable[Named], opening: set[str]) -> list[Fault]:
    """Lists of customers who are neither in the book nor in the ledger."""
    return [
        each.row.fault("account_id", "there is no such customer: add a row, or correct the id")
        for each in named
        if each.account_id not in opening and _recipients(client, each.account_id) is None
    ]


def name_recipients(client: httpx.Client, named: Iterable[Named], progress: Progress) -> None:
    """Name each list once: a day that has this list already is left alone, whatever was named since."""
    for each in named:
        standing = _recipients(client, each.account_id)
        if not any(_is_named(each.body, found) for found in (standing.lists if standing else ())):
            path = f"/v1/accounts/{each.account_id}/recipients"
            answer = client.put(path, content=each.body.model_dump_json(), headers={"Content-Type": "application/json"})
            _require(answer, each.account_id)
        progress(1)


def _is_named(body: RecipientsBody, found: RecipientList) -> bool:
    """Whether that list says the same; an address that was erased since is not named again."""
    given = {(one.address, one.kinds, one.lang) for one in body.recipients}
    standing = {(one.address, frozenset(one.kinds), one.lang) for one in found.recipients if one.address}
    return found.effective_on == body.effective_on and len(found.recipients) == len(given) and standing <= given


def _recipients(client: httpx.Client, account_id: str) -> Recipients | None:
    answer = client.get(f"/v1/accounts/{account_id}/recipients")
    return (
        None if answer.status_code == httpx.codes.NOT_FOUND else Recipients.model_validate(_require(answer, account_id))
    )


def _require(answer: httpx.Response, account_id: str) -> Any:
    if not answer.is_success:
        raise OperatorError(f"{account_id}: {detail_of(answer)} {AGAIN}")
    return answer.json()

"""What sending an account's month comes to: which documents to whom, or why nothing."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any, NamedTuple, get_args
from uuid import UUID

from contracts.months import AccountMonth, MonthPage
from contracts.quantities import SELLER_ZONE
from contracts.reports import Act
from contracts.sending import DocumentKind, PlannedMessage, PlannedSending, RequestState
from services.billing.hourbook import Hourbook
from services.billing.running import Billing, Connection
from services.billing.sending.recipients import Standing, in_force
from services.process.problem_responses import ProblemError

PAGE_ROWS = 1000
KINDS: tuple[DocumentKind, ...] = get_args(DocumentKind)
NOT_POSSIBLE = frozenset({"figures-differ", "account-halted", "account-not-found", "not-allowed"})
"""Problems of the account itself: to ask again soon helps nothing."""

PREPARED = """
    SELECT address_id, kind FROM message_document WHERE account_id = $1 AND month = $2 AND revision = $3
"""

STOPPED = """
    SELECT message_id, address_id, lang, array(
        SELECT kind FROM message_document AS carried WHERE carried.message_id = message.message_id ORDER BY ordinal
    ) AS kinds
    FROM message WHERE account_id = $1 AND month = $2 AND revision = $3 AND state IN ('refused', 'failed')
"""


class NewMessage(NamedTuple):
    """A message that is to be prepared."""

    to: Standing
    kinds: Sequence[DocumentKind]


class Repeat(NamedTuple):
    """A message that was refused or given up, and is to be tried once more."""

    message_id: UUID
    to: Standing
    kinds: Sequence[DocumentKind]


class Plan(NamedTuple):
    """What is to be done. `act`: of the closed month; its revision and position say which documents these are.

    `reason`: why nothing, or why a document is left out.
    """

    state: RequestState
    reason: str | None = None
    act: Act | None = None
    new: Sequence[NewMessage] = ()
    repeats: Sequence[Repeat] = ()

    def shown(self, account_id: str) -> PlannedSending:
        """For whom asks what would be sent."""
        messages = [(each, False) for each in self.new] + [(each, True) for each in self.repeats]
        return PlannedSending(
            account_id=account_id,
            state=self.state,
            reason=self.reason,
            messages=tuple(
                PlannedMessage(address=each.to.address or "", lang=each.to.lang, kinds=tuple(each.kinds), again=again)
                for each, again in messages
            ),
        )


async def plan(billing: Billing, hourbook: Hourbook, account_id: str, month: str, *, again: bool) -> Plan:
    """What is to be done for an account's month now. `again`: with what was refused or given up.

    ProblemError where this cannot be found out now, and may be later.
    """
    try:
        act = Act.model_validate(await hourbook.get(f"/v1/accounts/{account_id}/acts/{month}"))
    except ProblemError as problem:
        if problem.problem.slug not in NOT_POSSIBLE:
            raise
        return Plan("not-possible", problem.problem.detail)
    if act.draft:
        return Plan("not-closed", f"{month} is not closed: close it first.")
    today = (await billing.now(hourbook)).astimezone(SELLER_ZONE).date()
    async with billing.connection() as connection:
        recipients = await in_force(connection, account_id, today)
        if not recipients:
            return Plan("no-recipients", "Nobody is to get this account's documents: name recipients.", act)
        new = await _new(connection, act, recipients)
        repeats = await _repeats(connection, act, recipients) if again else ()
    reason = await _against_upd(hourbook, act) if any("upd" in each.kinds for each in new) else None
    if reason:
        new = list(_without_upd(new))
    state: RequestState = "prepared" if new or repeats else "not-possible" if reason else "nothing-new"
    return Plan(state, reason, act, new, repeats)


async def _against_upd(hourbook: Hourbook, act: Act) -> str | None:
    """Why this act cannot be written as an УПД; None where it can."""
    try:
        await hourbook.answer("GET", path_of(act, "upd"), params={"known_at": act.position})
    except ProblemError as problem:
        if problem.problem.slug != "upd-not-possible":
            raise
        return problem.problem.detail
    return None


def _without_upd(new: Collection[NewMessage]) -> Iterator[NewMessage]:
    for each in new:
        if kinds := [kind for kind in each.kinds if kind != "upd"]:
            yield each._replace(kinds=kinds)


def path_of(act: Act, kind: DocumentKind) -> str:
    """The route that makes a document of the act's month."""
    month = f"acts/{act.month}/upd.xml" if kind == "upd" else f"{kind}s/{act.month}.pdf"
    return f"/v1/accounts/{act.account_id}/{month}"


async def _new(connection: Connection, act: Act, recipients: Collection[Standing]) -> list[NewMessage]:
    """What nobody has prepared yet. An act with nothing in it is none, and is not sent."""
    prepared = {tuple(row) for row in await connection.fetch(PREPARED, act.account_id, act.month, act.revision)}
    made = [kind for kind in KINDS if kind == "report" or act.to_sign]
    wanted = (
        NewMessage(each, [kind for kind in made if kind in each.kinds and (each.address_id, kind) not in prepared])
        for each in recipients
    )
    return [message for message in wanted if message.kinds]


async def _repeats(connection: Connection, act: Act, recipients: Collection[Standing]) -> list[Repeat]:
    """What was refused or given up, to those who are recipients still."""
    standing = {each.address_id: each for each in recipients}
    rows: list[Any] = await connection.fetch(STOPPED, act.account_id, act.month, act.revision)
    return [
        Repeat(row["message_id"], standing[row["address_id"]]._replace(lang=row["lang"]), row["kinds"])
        for row in rows
        if row["address_id"] in standing
    ]


async def accounts_of(hourbook: Hourbook, month: str) -> list[AccountMonth]:
    """The month of every account that the caller sees."""
    found: list[AccountMonth] = []
    asked: dict[str, Any] = {"limit": PAGE_ROWS}
    while True:
        page = MonthPage.model_validate(await hourbook.get(f"/v1/months/{month}", **asked))
        found += page.accounts
        if page.next_cursor is None:
            return found
        asked["cursor"] = page.next_cursor

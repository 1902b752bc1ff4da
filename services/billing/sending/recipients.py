"""Who gets an account's documents: lists, each from a day on, and addresses that stand apart so as to be erased."""

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from contracts.sending import AddressErasureBody, ListedRecipient, RecipientList, Recipients, RecipientsBody
from services.billing.running import Connection

LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('hourbook recipients ' || $1, 0))"

ADD_ADDRESSES = """
    INSERT INTO address (account_id, address) SELECT $1, unnest($2::text[]) ON CONFLICT (account_id, address) DO NOTHING
"""

ADD_LIST = "INSERT INTO recipient_list (account_id, effective_on, actor) VALUES ($1, $2, $3) RETURNING number"

ADD_RECIPIENT = """
    INSERT INTO recipient (list, ordinal, address_id, kinds, lang)
    SELECT $1, $2, address_id, $5, $6 FROM address WHERE account_id = $3 AND address = $4
"""

LAST_OF_DAY = """
    SELECT max(number) FROM recipient_list WHERE account_id = $1 AND effective_on = $2
"""

IN_FORCE = """
    SELECT number FROM recipient_list WHERE account_id = $1 AND effective_on <= $2
    ORDER BY effective_on DESC, number DESC LIMIT 1
"""

OF_LIST = """
    SELECT address_id, address, kinds, lang FROM recipient JOIN address USING (address_id)
    WHERE list = $1 ORDER BY ordinal
"""

LISTS = """
    SELECT number, effective_on, recorded_at, actor FROM recipient_list
    WHERE account_id = $1 ORDER BY effective_on DESC, number DESC
"""

ERASE = """
    UPDATE address SET address = NULL, erased_at = clock_timestamp(), erased_by = $3, erased_for = $4
    WHERE account_id = $1 AND address = $2
"""

# As services/process/erasure_journal.py keeps it.
ERASURES = """
    SELECT jsonb_build_object('of', 'billing', 'address_id', address_id, 'erased_at', erased_at, 'erased_by', erased_by,
        'erased_for', erased_for)::text
    FROM address WHERE account_id = $1 AND erased_at IS NOT NULL ORDER BY erased_at, address_id
"""


class Standing(NamedTuple):
    """A recipient of a list; `address` is absent once it was erased."""

    address_id: UUID
    address: str | None
    kinds: Sequence[Any]
    lang: Any

    def listed(self) -> ListedRecipient:
        """As it is shown."""
        return ListedRecipient(address=self.address, kinds=tuple(self.kinds), lang=self.lang)


async def put(connection: Connection, account_id: str, body: RecipientsBody, actor: str) -> None:
    """Add a list, in a transaction; one that says what that day's last list says already is not added again."""
    await connection.execute(LOCK, account_id)
    given = [(each.address, sorted(each.kinds), each.lang) for each in body.recipients]
    last = await connection.fetchval(LAST_OF_DAY, account_id, body.effective_on)
    if last and [(each.address, list(each.kinds), each.lang) for each in await _of_list(connection, last)] == given:
        return
    await connection.execute(ADD_ADDRESSES, account_id, [address for address, *_ in given])
    number = await connection.fetchval(ADD_LIST, account_id, body.effective_on, actor)
    for ordinal, (address, kinds, lang) in enumerate(given):
        await connection.execute(ADD_RECIPIENT, number, ordinal, account_id, address, kinds, lang)


async def in_force(connection: Connection, account_id: str, day: date) -> list[Standing]:
    """Who gets what on that day; without those whose address was erased."""
    number = await connection.fetchval(IN_FORCE, account_id, day)
    return [each for each in await _of_list(connection, number) if each.address is not None]


async def recipients(connection: Connection, account_id: str, today: date) -> Recipients:
    """Who gets what today, and every list there was."""
    lists = [
        RecipientList(
            effective_on=row["effective_on"],
            recorded_at=row["recorded_at"],
            actor=row["actor"],
            recipients=tuple(each.listed() for each in await _of_list(connection, row["number"])),
        )
        for row in await connection.fetch(LISTS, account_id)
    ]
    standing = await in_force(connection, account_id, today)
    return Recipients(account_id=account_id, in_force=tuple(each.listed() for each in standing), lists=tuple(lists))


async def erase(connection: Connection, account_id: str, body: AddressErasureBody, actor: str) -> int:
    """Forget an address wherever it stands: in lists, and in messages, which are sent to it no more."""
    done = await connection.execute(ERASE, account_id, body.address, actor, body.reason)
    return int(done.rpartition(" ")[2])


async def erasures(connection: Connection, account_id: str) -> list[str]:
    """What was erased of an account: ids, when, by whom and why, as JSON."""
    return [row[0] for row in await connection.fetch(ERASURES, account_id)]


async def _of_list(connection: Connection, number: int | None) -> list[Standing]:
    return [Standing(*row) for row in await connection.fetch(OF_LIST, number)]

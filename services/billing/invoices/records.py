"""Invoices in PostgreSQL: their numbers, what they say, and what became of each."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import orjson
from asyncpg import Record

from contracts.invoices import Invoice, InvoiceContent, InvoiceState, InvoiceStep
from services.billing.running import Connection

CONTENT_VERSION = 1

# Numbers are given one after another, and each is settled with its commit: a refused invoice leaves no gap.
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('hourbook invoice numbers', 0))"
_NEXT = """
    SELECT coalesce(
            (SELECT max(seller_number) FROM invoice WHERE seller = $1),
            (SELECT coalesce(max(seller_number), 0) + 1 FROM invoice)
        ) AS seller_number,
        (SELECT coalesce(max(number_of_year), 0) + 1 FROM invoice WHERE seller = $1 AND year = $2) AS number_of_year
"""
_ADD = """
    INSERT INTO invoice (number, seller, seller_number, year, number_of_year, account_id, idempotency_key, fingerprint,
        issued_at, issued_on, valid_through, actor, customer_inn, package_id, debt_minutes, total_kopecks,
        content_version, content)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18::jsonb)
"""
_STANDING = """
    SELECT invoice.*, paid.at AS paid_at, paid.actor AS paid_by, paid.reason AS paid_reason, paid.event_id,
        withdrawn.at AS withdrawn_at, withdrawn.actor AS withdrawn_by, withdrawn.reason AS withdrawn_reason,
        CASE WHEN paid.at IS NOT NULL THEN 'paid' WHEN withdrawn.at IS NOT NULL THEN 'withdrawn'
            WHEN valid_through < $1 THEN 'overdue' ELSE 'issued' END AS state
    FROM invoice
    LEFT JOIN invoice_end AS paid ON paid.invoice_id = id AND paid.state = 'paid'
    LEFT JOIN invoice_end AS withdrawn ON withdrawn.invoice_id = id AND withdrawn.state = 'withdrawn'
"""
_ONE = f"{_STANDING} WHERE account_id = $2 AND number = $3"
_OF_KEY = f"{_STANDING} WHERE account_id = $2 AND idempotency_key = $3"
_LIST = f"""
    SELECT * FROM ({_STANDING}) AS standing
    WHERE ($2::text[] IS NULL OR account_id = ANY ($2)) AND ($3::text IS NULL OR state = $3)
        AND ($4::date IS NULL OR issued_on >= $4) AND ($5::date IS NULL OR issued_on <= $5)
        AND ($6::bigint IS NULL OR id < $6)
    ORDER BY id DESC LIMIT $7
"""  # noqa: S608 - nothing in it comes from outside
_OPEN = f"""
    SELECT * FROM ({_STANDING} WHERE number = ANY ($2) OR customer_inn = ANY ($3)) AS standing
    WHERE state IN ('issued', 'overdue') ORDER BY id
"""  # noqa: S608 - nothing in it comes from outside
_END = "INSERT INTO invoice_end VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING"


@dataclass(frozen=True)
class Issuing:
    """An invoice to be recorded: what it says, by whom it is issued and when, and the key and hash of the request."""

    content: InvoiceContent
    actor: str
    at: datetime
    key: str
    fingerprint: bytes


@dataclass(frozen=True)
class Kept:
    """An invoice as it is kept."""

    id: int
    fingerprint: bytes
    invoice: Invoice


@dataclass(frozen=True)
class Wanted:
    """Which invoices are listed: of these accounts or of all, in that state, issued in those days, after that one."""

    accounts: Collection[str] | None
    state: InvoiceState | None
    since: date | None
    until: date | None
    after: int | None
    limit: int


async def add(connection: Connection, issuing: Issuing) -> str:
    """Record the invoice under the next number of its seller and year, and return that; in a transaction.

    UniqueViolationError where its key was used already.
    """
    content = issuing.content
    seller = content.seller.inn or content.seller.name
    await connection.execute(_LOCK)
    following = await connection.fetchrow(_NEXT, seller, content.issued_on.year)
    assert following
    number = _number(content.issued_on.year, *following)
    await connection.execute(
        _ADD, number, seller, following["seller_number"], content.issued_on.year, following["number_of_year"],
        content.account_id, issuing.key, issuing.fingerprint, issuing.at, content.issued_on, content.valid_through,
        issuing.actor, content.customer.inn, content.package and content.package.package_id, content.debt_minutes,
        content.total_kopecks, CONTENT_VERSION, content.model_dump_json(),
    )  # fmt: skip
    return number


def _number(year: int, seller_number: int, number_of_year: int) -> str:
    """`2026-17`; of the second seller of a database `2026-17-2`."""
    return f"{year}-{number_of_year}" + (f"-{seller_number}" if seller_number > 1 else "")


async def one(connection: Connection, account_id: str, number: str, today: date) -> Kept | None:
    """An invoice as it stands today; None where the account has none of that number."""
    row = await connection.fetchrow(_ONE, today, account_id, number)
    return row and _kept(row)


async def of_key(connection: Connection, account_id: str, key: str, today: date) -> Kept | None:
    """The invoice that was issued with that key."""
    row = await connection.fetchrow(_OF_KEY, today, account_id, key)
    return row and _kept(row)


async def listed(connection: Connection, wanted: Wanted, today: date) -> list[Kept]:
    """The invoices that are wanted, the newest first."""
    accounts = None if wanted.accounts is None else list(wanted.accounts)
    rows = await connection.fetch(
        _LIST, today, accounts, wanted.state, wanted.since, wanted.until, wanted.after, wanted.limit
    )
    return list(map(_kept, rows))


async def open_ones(connection: Connection, numbers: Collection[str], inns: Collection[str], today: date) -> list[Kept]:
    """The invoices with one of these numbers, or to a customer with one of these INNs, that are to be paid still."""
    return list(map(_kept, await connection.fetch(_OPEN, today, list(numbers), list(inns))))


async def end(
    connection: Connection,
    invoice_id: int,
    state: InvoiceState,
    at: datetime,
    actor: str,
    *,
    reason: str | None = None,
    event_id: str | None = None,
) -> bool:
    """Say what has become of an invoice; False where that was said already."""
    done = await connection.execute(_END, invoice_id, state, at, actor, reason, event_id)
    return done.endswith(" 1")


def _kept(row: Record | Mapping[str, Any]) -> Kept:
    content = InvoiceContent.model_validate(orjson.loads(row["content"]))
    steps = [InvoiceStep(state="issued", at=row["issued_at"], actor=row["actor"])]
    if row["withdrawn_at"]:
        steps.append(
            InvoiceStep(
                state="withdrawn", at=row["withdrawn_at"], actor=row["withdrawn_by"], reason=row["withdrawn_reason"]
            )
        )
    if row["paid_at"]:
        paid = {"at": row["paid_at"], "actor": row["paid_by"], "reason": row["paid_reason"]}
        steps.append(InvoiceStep(state="paid", event_id=row["event_id"], **paid))
    invoice = Invoice(
        **dict(content),
        number=row["number"],
        state=row["state"],
        history=tuple(sorted(steps, key=lambda step: step.at)),
    )
    return Kept(row["id"], row["fingerprint"], invoice)

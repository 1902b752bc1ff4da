"""Numbers of invoices: without gaps for each seller and year, however many processes issue and fail at once."""

import asyncio
from collections import Counter
from datetime import UTC, date, datetime
from hashlib import sha256

import asyncpg
import pytest

from contracts.invoices import InvoiceContent
from services.billing.database import migrate, pool
from services.billing.invoices import records
from services.billing.invoices.records import Issuing
from tests.documents.test_invoice import invoice

GIVEN = "SELECT seller, year, array_agg(number_of_year ORDER BY id) AS given FROM invoice GROUP BY seller, year"


def issuing(key: str, *, inn: str = "7701234560", year: int = 2026) -> Issuing:
    """One of a seller and a year."""
    said = invoice()
    content = InvoiceContent(**{name: getattr(said, name) for name in InvoiceContent.model_fields})
    changed = {"seller": said.seller.model_copy(update={"inn": inn}), "issued_on": date(year, 5, 1)}
    at = datetime(year, 5, 1, tzinfo=UTC)
    return Issuing(content.model_copy(update=changed), "local", at, key, sha256().digest())


async def test_many_that_issue_and_fail_at_once_leave_no_gap(database_url: str):
    await migrate(database_url)
    async with pool(database_url) as one, pool(database_url) as other:

        async def issue(number: int) -> str | None:
            """Its number; every seventh request is lost with its connection before it is committed."""
            asked = issuing(f"{number}", inn="7701234560" if number % 3 else "7736207543", year=2026 + number % 5 // 4)
            async with (one, other)[number % 2].acquire() as connection:
                transaction = connection.transaction()
                await transaction.start()
                taken = await records.add(connection, asked)
                if number % 7 == 0:
                    await transaction.rollback()
                    return None
                await transaction.commit()
                return taken

        taken = [each for each in await asyncio.gather(*map(issue, range(60))) if each]
        assert max(Counter(taken).values()) == 1
        rows = await one.fetch(GIVEN)
        assert len(rows) == 4
        for row in rows:
            assert row["given"] == list(range(1, len(row["given"]) + 1))
        assert sum(len(row["given"]) for row in rows) == len(taken)


async def test_what_was_issued_is_neither_changed_nor_deleted(database_url: str):
    await migrate(database_url)
    async with pool(database_url) as connections:
        async with connections.acquire() as connection, connection.transaction():
            await records.add(connection, issuing("one"))
        for forbidden in ("UPDATE invoice SET total_kopecks = 1", "DELETE FROM invoice", "DELETE FROM invoice_end",
                          "UPDATE invoice_end SET state = 'paid'"):  # fmt: skip
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connections.execute(forbidden)

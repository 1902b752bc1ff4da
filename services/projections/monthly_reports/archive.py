"""The documents of a closed month in one ZIP file, sent while they are made: one customer's at a time."""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from contextlib import suppress
from typing import NamedTuple
from zipfile import ZIP_STORED, ZipFile, ZipInfo

from asyncpg import Connection

from contracts.quantities import Month
from contracts.reports import Act, MonthlyReport
from services.documents import Lang, NoUpd, act_pdf, act_xlsx, report_pdf, report_xlsx, upd
from services.projections.monthly_reports import MONTHLY_REPORTS
from services.projections.monthly_reports.acts import act
from services.projections.monthly_reports.checked_reports import checked_report
from services.projections.monthly_reports.months import month_of_accounts
from services.projections.monthly_reports.queries import Asked, closed_at
from services.projections.monthly_reports.signatories import with_signatory
from services.projections.parameters import PAGE_ROWS_MAX
from services.projections.read_models import Projections

FIRST_DAY = (1980, 1, 1, 0, 0, 0)
"""Of every file: so that the same documents are the same archive."""


class File(NamedTuple):
    """A document by its name in the archive."""

    name: str
    content: bytes


async def closed_accounts(connection: Connection, month: Month, scope: Collection[str] | None) -> list[str]:
    """The accounts for which the month is closed, of all or of those in the scope."""
    found, cursor = list[str](), None
    while True:
        page = await month_of_accounts(connection, month, scope, cursor, PAGE_ROWS_MAX)
        found += [each.account_id for each in page.accounts if each.closed]
        if (cursor := page.next_cursor) is None:
            return found


async def require_shown(projections: Projections, month: Month, account_ids: Sequence[str]) -> None:
    """Raise what speaks against a document of any of them, while it can still be answered."""
    for account_id in account_ids:
        async with projections.snapshot(0, MONTHLY_REPORTS, account_id) as (connection, at):
            await checked_report(projections, connection, at.position, Asked(account_id, month, None))


async def archive(
    projections: Projections, month: Month, account_ids: Sequence[str], lang: Lang
) -> AsyncIterator[bytes]:
    """The bytes of the archive, customer by customer: report and act, and the УПД where the act can be one."""
    written = _Written()
    with ZipFile(written, "w", ZIP_STORED) as file:
        for account_id in account_ids:
            for made in await _files(projections, month, account_id, lang):
                told = ZipInfo(f"{account_id}/{made.name}", FIRST_DAY)
                told.external_attr = 0o644 << 16
                file.writestr(told, made.content)
            yield written.taken()
    yield written.taken()


async def _files(projections: Projections, month: Month, account_id: str, lang: Lang) -> list[File]:
    """A customer's documents; they are set once the connection to PostgreSQL is let go."""
    asked = Asked(account_id, month, None)
    async with projections.snapshot(0, MONTHLY_REPORTS, account_id) as (connection, at):
        booked = await checked_report(projections, connection, at.position, asked)
        closed = await closed_at(connection, asked)
        named = await with_signatory(booked, projections.ledger)
        stated = await act(connection, named, projections.seller)
    if closed is None or not has_anything(named):
        return []

    def made() -> list[File]:
        files = [*_of_report(named, lang), *(_of_act(stated, lang) if stated.to_sign else ())]
        with suppress(NoUpd):
            files.append(File(*upd(stated, closed)))
        return files

    return await asyncio.to_thread(made)


def has_anything(report: MonthlyReport) -> bool:
    """Whether the month knows of the account: one that was opened later has it too, and nothing in it."""
    return bool(report.opening_balance_minutes or report.lines or any(row.minutes for row in report.balance_rows))


def _of_report(report: MonthlyReport, lang: Lang) -> Iterator[File]:
    yield File(f"MonthlyReport-{report.account_id}-{report.month}.pdf", report_pdf(report, lang))
    yield File(f"MonthlyReport-{report.account_id}-{report.month}.xlsx", report_xlsx(report, lang))


def _of_act(act: Act, lang: Lang) -> Iterator[File]:
    yield File(f"Act-{act.account_id}-{act.month}.pdf", act_pdf(act, lang))
    yield File(f"Act-{act.account_id}-{act.month}.xlsx", act_xlsx(act, lang))


class _Written:
    """What was written and not taken yet."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, part: bytes) -> int:
        self._parts.append(bytes(part))
        return len(part)

    def flush(self) -> None:
        """Nothing waits elsewhere."""

    def taken(self) -> bytes:
        parts, self._parts = self._parts, []
        return b"".join(parts)

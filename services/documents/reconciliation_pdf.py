"""The reconciliation as PDF, for signature by both sides."""

from typing import Any

from contracts.reconciliations import Reconciliation
from services.documents.formats import Formats
from services.documents.numerals import Lang
from services.documents.parties import foot, party_block
from services.documents.reconciliation_content import (
    AccountRow,
    account_rows,
    conclusions,
    debt_rows,
    subject_of,
    title_of,
    turnover,
)
from services.documents.typesetting import pdf


def reconciliation_pdf(made: Reconciliation, lang: Lang) -> bytes:
    """The same reconciliation always gives the same bytes."""
    return pdf("reconciliation.typ", _document(made, Formats(lang)))


def _document(made: Reconciliation, formats: Formats) -> dict[str, Any]:
    opening, *rows, closing = (_row(row, formats) for row in account_rows(made, formats))
    sums = turnover(made)
    return {
        "lang": formats.lang,
        "words": formats.words,
        "title": title_of(made, formats),
        "subject": subject_of(made, formats),
        "draft": not made.closed,
        "parties": [party_block("seller", made.seller, formats), party_block("customer", made.customer, formats)],
        "contract_number": made.contract_number,
        "contract_date": formats.long_day(made.contract_date),
        "opening": opening,
        "rows": rows,
        "closing": closing,
        "turnover": {"debit": formats.money(sums.debit_kopecks), "credit": formats.money(sums.credit_kopecks)},
        "debt": [
            {"label": label, "hours": formats.hours(row.hours), "clock": formats.clock(row.minutes)}
            for label, row in debt_rows(made, formats)
        ],
        "conclusions": conclusions(made, formats),
        "foot": foot(made, formats),
    }


def _row(row: AccountRow, formats: Formats) -> dict[str, Any]:
    debit, credit = (
        "" if kopecks is None else formats.money(kopecks) for kopecks in (row.debit_kopecks, row.credit_kopecks)
    )
    return {
        "day": formats.short_day(row.day),
        "what": row.what,
        "quantity": {"hours": formats.hours(row.hours), "clock": formats.clock(row.minutes)},
        "debit": debit,
        "credit": credit,
    }

"""The act as PDF: a primary document with all that 402-ФЗ art. 9 asks for (rule 10.4)."""

from typing import Any

from contracts.reports import AcceptedRow, Act, ActLine
from services.documents.act_content import (
    groups,
    hours_in_a_sentence,
    hours_rows,
    notes,
    prices,
    replaces,
    service,
    statement_of,
    subject_of,
    tax_in_words,
    tax_rows,
    title_of,
)
from services.documents.formats import Formats, first_and_last
from services.documents.numerals import Lang
from services.documents.parties import foot, party_block
from services.documents.typesetting import pdf


def act_pdf(act: Act, lang: Lang) -> bytes:
    """The act for signature by both sides; the same act always gives the same bytes."""
    return pdf("act.typ", _document(act, Formats(lang)))


def _document(act: Act, formats: Formats) -> dict[str, Any]:
    words = formats.words
    start, end = (formats.long_day(day) for day in first_and_last(act.month))
    statement = statement_of(act)
    return {
        "lang": formats.lang,
        "words": words,
        "title": title_of(act, formats),
        "subject": subject_of(act, formats),
        "replaces": replaces(act, formats),
        "to_sign": act.to_sign,
        "draft": act.draft,
        "parties": [party_block("seller", act.seller, formats), party_block("customer", act.customer, formats)],
        "contract_number": act.contract_number,
        "contract_date": formats.long_day(act.contract_date),
        "period": f"{start} — {end}",
        "statement": words[statement] if statement else "",
        "acceptance": words["acceptance"] if statement == "statement" else "",
        "groups": _groups(act, formats),
        "total": _total(act, formats),
        "tax": [
            {"label": row.label, "amount": "" if row.amount_kopecks is None else formats.money(row.amount_kopecks)}
            for row in tax_rows(act, formats)
        ],
        "tax_in_words": tax_in_words(act, formats),
        "hours": [_hours_row(label, row, formats) for label, row in hours_rows(act, formats)],
        "hours_title": words["hours_from_report"],
        "notes": [*filter(None, [hours_in_a_sentence(act, formats)]), *notes(act, formats)],
        "foot": foot(act, formats),
    }


def _groups(act: Act, formats: Formats) -> list[dict[str, Any]]:
    return [
        {"heading": group.heading, "rows": [_row(number, line, formats) for number, line in group.lines]}
        for group in groups(act, formats)
    ]


def _row(number: int, line: ActLine, formats: Formats) -> dict[str, Any]:
    work, package = service(line, formats)
    return {
        "number": number,
        "service": work,
        "package": package,
        "quantity": {"hours": formats.hours(line.hours), "clock": formats.clock(line.minutes)},
        "price": prices(line, formats),
        "amount": formats.money(line.amount_kopecks),
    }


def _hours_row(label: str, row: AcceptedRow, formats: Formats) -> dict[str, str]:
    return {"label": label, "hours": formats.hours(row.hours), "clock": formats.clock(row.minutes)}


def _total(act: Act, formats: Formats) -> dict[str, str]:
    return {
        "hours": formats.hours(act.total_hours),
        "clock": formats.clock(act.total_minutes),
        "amount": formats.money(act.total_kopecks),
        "hours_in_words": formats.hours_in_words(act.total_minutes),
        "money_in_words": formats.money_in_words(act.total_kopecks),
    }

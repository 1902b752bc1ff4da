"""The act as PDF: a primary document with all that 402-ФЗ art. 9 asks for (rule 10.4)."""

from typing import Any

from contracts.reports import Act, ActLine
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
    return {
        "lang": formats.lang,
        "words": words,
        "title": title_of(act, formats),
        "act_date": formats.long_day(act.act_date),
        "draft": act.draft,
        "parties": [party_block("seller", act.seller, formats), party_block("customer", act.customer, formats)],
        "contract_number": act.contract_number,
        "contract_date": formats.long_day(act.contract_date),
        "period": f"{start} — {end}",
        "statement": words[statement] if (statement := statement_of(act)) else "",
        "acceptance": words["acceptance"] if statement == "statement" else "",
        "rows": [_row(number, line, formats) for number, line in enumerate(act.lines, 1)],
        "total": _total(act, formats),
        "vat": _vat(act, formats),
        "foot": foot(act, formats),
    }


def title_of(act: Act, formats: Formats) -> str:
    return f"{formats.words['act']} {formats.words['number']} {act.number}"


def statement_of(act: Act) -> str | None:
    """Which sentence opens the act: none without services, another where more was taken back than rendered."""
    if not act.lines:
        return None
    return "correction_statement" if act.total_minutes < 0 or act.total_kopecks < 0 else "statement"


def service(line: ActLine, formats: Formats) -> tuple[str, str]:
    """What was done, and the package it was drawn from: nothing where the debt was paid in money."""
    if line.package_id is None:
        return formats.words["work_paid"], ""
    if line.plan is None:
        return formats.words["work_by_compensation"], line.package_id
    return formats.words["work_by_package"], f"{line.package_id} ({formats.plan(line.plan)})"


def vat_label(act: Act, formats: Formats) -> str:
    """The tax is contained in the amount."""
    if act.vat.mode == "none":
        return formats.words["vat_none"]
    return formats.words["vat_row"].format(rate=act.vat.mode)


def _row(number: int, line: ActLine, formats: Formats) -> dict[str, Any]:
    work, package = service(line, formats)
    return {
        "number": number,
        "service": work,
        "package": package,
        "quantity": {"hours": formats.hours(line.hours), "clock": formats.clock(line.minutes)},
        "price": formats.money(line.hour_price_kopecks),
        "amount": formats.money(line.amount_kopecks),
    }


def _total(act: Act, formats: Formats) -> dict[str, str]:
    return {
        "hours": formats.hours(act.total_hours),
        "clock": formats.clock(act.total_minutes),
        "amount": formats.money(act.total_kopecks),
        "hours_in_words": formats.hours_in_words(act.total_minutes),
        "money_in_words": formats.money_in_words(act.total_kopecks),
    }


def _vat(act: Act, formats: Formats) -> dict[str, str]:
    label = vat_label(act, formats)
    if act.vat.mode == "none":
        return {"label": label, "amount": "", "sentence": label}
    amount = formats.money(act.vat.amount_kopecks)
    return {"label": label[0].upper() + label[1:], "amount": amount, "sentence": f"{label} — {amount}"}

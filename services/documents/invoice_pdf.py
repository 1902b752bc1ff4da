"""An invoice as PDF, with the code by which a bank fills the payment in."""

from typing import Any

from contracts.invoices import Invoice
from services.documents.formats import Formats
from services.documents.invoice_content import (
    COLUMNS,
    Cells,
    bank_rows,
    ground_of,
    in_words,
    lines_of,
    subject_of,
    tax_of,
    title_of,
    validity_of,
)
from services.documents.numerals import Lang
from services.documents.parties import party_block
from services.documents.payment_code import as_svg, payment_code, purpose_of
from services.documents.typesetting import pdf


def invoice_pdf(invoice: Invoice, lang: Lang) -> bytes:
    """The invoice; the same one always gives the same bytes."""
    return pdf("invoice.typ", _document(invoice, Formats(lang)))


def _document(invoice: Invoice, formats: Formats) -> dict[str, Any]:
    words, tax = formats.words, tax_of(invoice, formats)
    return {
        "lang": formats.lang,
        "words": words,
        "title": title_of(invoice, formats),
        "subject": subject_of(invoice, formats),
        "bank": bank_rows(invoice, formats),
        "code": as_svg(payment_code(invoice)),
        "parties": [party_block("supplier", invoice.seller, formats), party_block("payer", invoice.customer, formats)],
        "ground": ground_of(invoice, formats),
        "columns": [words[name] for name in COLUMNS if name != "minutes"],
        "lines": [_row(line, formats) for line in lines_of(invoice, formats)],
        "total": formats.money(invoice.total_kopecks),
        "tax": {"label": tax.label, "amount": "" if tax.amount_kopecks is None else formats.money(tax.amount_kopecks)},
        "in_words": in_words(invoice, formats),
        "purpose": purpose_of(invoice),
        "validity": validity_of(invoice, formats),
        "foot": f"{title_of(invoice, formats)} · {ground_of(invoice, formats)}",
    }


def _row(line: Cells, formats: Formats) -> dict[str, Any]:
    return {
        "number": line.number,
        "service": line.service,
        "quantity": {"hours": formats.hours(line.hours), "clock": formats.clock(line.minutes)},
        "price": "—" if line.hour_price_kopecks is None else formats.money(line.hour_price_kopecks),
        "amount": formats.money(line.amount_kopecks),
    }

"""What a customer's hours come to when this ledger takes them over, as PDF, for signature by both sides."""

from typing import Any

from contracts.quantities import hours_column
from contracts.read_models import BalanceView
from contracts.reconciliations import Reconciliation
from services.documents.formats import Formats, day_of, last_day_before
from services.documents.numerals import Lang
from services.documents.parties import foot, party_block
from services.documents.reconciliation_content import conclusions
from services.documents.typesetting import pdf


def takeover_pdf(made: Reconciliation, balance: BalanceView, lang: Lang) -> bytes:
    """The packages that hold hours, and what each side owes by the reconciliation, both of one day.

    The same figures always give the same bytes.
    """
    formats = Formats(lang)
    words = formats.words
    return pdf(
        "takeover.typ",
        {
            "lang": lang,
            "words": words,
            "title": words["takeover"],
            "subject": words["takeover_on"].format(day=formats.long_day(made.until)),
            "parties": [party_block("seller", made.seller, formats), party_block("customer", made.customer, formats)],
            "contract_number": made.contract_number,
            "contract_date": formats.long_day(made.contract_date),
            "rows": _rows(balance, formats),
            "total": {"hours": formats.hours(made.held_hours), "clock": formats.clock(made.held_minutes)},
            "conclusions": conclusions(made, formats),
            "foot": foot(made, formats),
        },
    )


def _rows(balance: BalanceView, formats: Formats) -> list[dict[str, Any]]:
    lots = [lot for lot in balance.lots if lot.remaining_minutes]
    shown = hours_column([lot.remaining_minutes for lot in lots])
    return [
        {
            "package": lot.lot_id,
            "plan": lot.plan or "",
            "bought": formats.short_day(day_of(lot.starts_at)),
            "last_day": formats.short_day(last_day_before(lot.ends_at)),
            "quantity": {"hours": formats.hours(hours), "clock": formats.clock(lot.remaining_minutes)},
        }
        for lot, hours in zip(lots, shown, strict=True)
    ]

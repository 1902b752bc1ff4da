"""The payment code of an invoice: what ГОСТ Р 56042-2014 puts into a QR code, so that a bank fills the payment in."""

import io

import segno

from contracts.invoices import Invoice
from services.documents.formats import Formats

NAME_LENGTH_MAX = 160
BANK_NAME_LENGTH_MAX = 45
PURPOSE_LENGTH_MAX = 210
NO_CORRESPONDENT_ACCOUNT = "0"
QUIET_MODULES = 4
"""What a reader needs around the code."""

_FORMAT = "ST00012"
"""The format, its version, and that the text is in UTF-8."""


def purpose_of(invoice: Invoice) -> str:
    """What the payer writes, always in Russian, so that the bank's statement names the invoice.

    Number and tax stand before the contract, whose number can be longer than there is room.
    """
    formats = Formats("ru")
    issued, signed = (formats.short_day(each) for each in (invoice.issued_on, invoice.contract_date))
    tax = formats.words["vat_none"]
    if invoice.vat.mode != "none":
        tax = f"В том числе НДС {invoice.vat.mode}% {_rubles(invoice.vat.amount_kopecks)}"
    contract = f"Договор № {invoice.contract_number} от {signed}"
    return f"Оплата по счёту № {invoice.number} от {issued}. {tax}. {contract}"


def _rubles(kopecks: int) -> str:
    return f"{kopecks // 100}-{kopecks % 100:02}"


def payment_text(invoice: Invoice) -> str:
    """The text of the code. The obligatory fields come first, in the standard's order."""
    bank, seller = invoice.seller_bank, invoice.seller
    fields = {
        "Name": seller.name[:NAME_LENGTH_MAX],
        "PersonalAcc": bank.account,
        "BankName": bank.name[:BANK_NAME_LENGTH_MAX],
        "BIC": bank.bic,
        "CorrespAcc": bank.correspondent_account or NO_CORRESPONDENT_ACCOUNT,
        "PayeeINN": seller.inn,
        "KPP": seller.kpp,
        "Sum": str(invoice.total_kopecks),
        "Purpose": _shortened(purpose_of(invoice)),
    }
    return "|".join([_FORMAT, *(f"{name}={_one_field(value)}" for name, value in fields.items() if value)])


def _one_field(text: str) -> str:
    """Without the sign that ends a field."""
    return text.replace("|", "/")


def _shortened(purpose: str) -> str:
    """So long as the standard has room for: the invoice's number stands in front."""
    return purpose if len(purpose) <= PURPOSE_LENGTH_MAX else purpose[: PURPOSE_LENGTH_MAX - 1] + "…"


def payment_code(invoice: Invoice) -> segno.QRCode:
    """The code. A seventh of it may be unreadable: paper is folded and stamped."""
    return segno.make_qr(payment_text(invoice), error="m", encoding="utf-8", boost_error=False)


def as_svg(code: segno.QRCode) -> str:
    """The code as a drawing."""
    made = io.BytesIO()
    code.save(made, kind="svg", border=QUIET_MODULES, xmldecl=False, nl=False)
    return made.getvalue().decode()


def as_png(code: segno.QRCode, pixels_each: int) -> io.BytesIO:
    """The code as a picture with so many pixels for each of its squares."""
    made = io.BytesIO()
    code.save(made, kind="png", border=QUIET_MODULES, scale=pixels_each)
    return made

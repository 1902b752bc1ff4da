"""What an invoice says, whatever the form it is written in."""

from typing import NamedTuple

from contracts.invoices import Invoice, InvoiceLine
from services.documents.act_content import TaxRow, tax_label
from services.documents.formats import Formats


class Cells(NamedTuple):
    """A line of an invoice, column by column, as every form of it shows them."""

    number: int
    service: str
    hours: str
    minutes: int
    hour_price_kopecks: int | None
    amount_kopecks: int


COLUMNS = ("number", "goods", "quantity", "minutes", "hour_price", "amount")
"""The words of their headings."""


def title_of(invoice: Invoice, formats: Formats) -> str:
    """`Счёт на оплату № 2026-17`."""
    return f"{formats.words['invoice']} {formats.words['number']} {invoice.number}"


def subject_of(invoice: Invoice, formats: Formats) -> str:
    """`от 28 ноября 2026 г.`."""
    return f"{formats.words['from']} {formats.long_day(invoice.issued_on)}"


def ground_of(invoice: Invoice, formats: Formats) -> str:
    """The contract."""
    words = formats.words
    signed = formats.long_day(invoice.contract_date)
    return f"{words['contract']} {words['number']} {invoice.contract_number} {words['from']} {signed}"


def lines_of(invoice: Invoice, formats: Formats) -> list[Cells]:
    """Every line."""
    return [
        Cells(
            number, _service(invoice, line, formats), line.hours, line.minutes, line.hour_price_kopecks,
            line.amount_kopecks,
        )
        for number, line in enumerate(invoice.lines, 1)
    ]  # fmt: skip


def _service(invoice: Invoice, line: InvoiceLine, formats: Formats) -> str:
    words, package = formats.words, invoice.package
    if package is None:
        task = words["invoiced_task"].format(task=line.task_id)
        return f"{task}: {line.title}" if line.title else task
    agreed = package.agreed
    size = formats.size(package.plan, agreed and agreed.minutes)
    said = words["invoiced_package"].format(size=size)
    if agreed and agreed.ends_on:
        last = formats.words["through"].format(day=formats.long_day(agreed.ends_on))
        said += f", {words['invoiced_until'].format(through=last)}"
    return said


def tax_of(invoice: Invoice, formats: Formats) -> TaxRow:
    """The row below the total: the tax contained in it."""
    return tax_label(invoice.vat, formats)


def validity_of(invoice: Invoice, formats: Formats) -> str:
    """Through which day the invoice is valid, and what to write on the payment."""
    through = formats.words["through"].format(day=formats.long_day(invoice.valid_through))
    return formats.words["valid_until"].format(through=through)


def bank_rows(invoice: Invoice, formats: Formats) -> list[tuple[str, str]]:
    """Where the money goes, as a payment order asks for it."""
    words, seller, bank = formats.words, invoice.seller, invoice.seller_bank
    codes = [f"{words[key]} {value}" for key, value in (("inn", seller.inn), ("kpp", seller.kpp)) if value]
    rows = [
        (words["payee"], f"{seller.name}, {', '.join(codes)}"),
        (words["account"], bank.account),
        (words["payee_bank"], bank.name),
        (words["bic"], bank.bic),
    ]
    if bank.correspondent_account:
        rows.append((words["correspondent_account"], bank.correspondent_account))
    return rows


def in_words(invoice: Invoice, formats: Formats) -> list[str]:
    """How many lines, and the total in words."""
    count = formats.words["to_pay_count"].format(count=len(invoice.lines), amount=formats.money(invoice.total_kopecks))
    return [f"{count}.", f"{formats.money_in_words(invoice.total_kopecks)}."]

"""The money that came in by a bank's statement, read strictly: what cannot be read is named, and nothing is guessed."""

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date

from services.billing.payments.exchange_format import (
    ACCOUNT_NAME,
    DOCUMENT,
    VERSION,
    VERSION_NAME,
    Misfit,
    Section,
    StatementRefused,
    lines_of,
    refuse_unless,
    sections,
)

DOCUMENTS_MAX = 20_000
MISFITS_MAX = 20
YEAR_MIN, YEAR_MAX = 2001, 2198
"""What a command may be given."""

TEXT_LENGTH_MAX = 300
PURPOSE_LENGTH_MAX = 1_000

_AMOUNT = re.compile(r"[0-9]{1,13}(?:[.,][0-9]{1,2})?")
_DAY = re.compile(r"[0-9]{2}\.[0-9]{2}\.[0-9]{4}")
_INN = re.compile(r"0*|[0-9]{10}|[0-9]{12}")
_ACCOUNT = re.compile(r"[0-9A-Za-z]{1,34}")
_NUMBER = re.compile(r".{1,100}")


@dataclass(frozen=True)
class BankPayment:
    """Money that came in to an account of the seller's, as the bank says.

    `occurrence`: counts payments of one statement that are alike in everything that tells them apart.
    """

    document_number: str
    document_date: date
    received_on: date
    amount_kopecks: int
    payer_account: str
    payer_inn: str | None
    payer_name: str
    receiver_account: str
    purpose: str
    occurrence: int = 1


@dataclass(frozen=True)
class Statement:
    """How many documents there were, and the payments by which money came in."""

    documents: int
    payments: tuple[BankPayment, ...]


def read_statement(content: bytes, own_accounts: Collection[str]) -> Statement:
    """The statement; StatementRefused with the first lines that do not fit. Money that went out is passed over."""
    head, *others = sections(lines_of(content))
    _require_ours(head, others, own_accounts)
    documents = [section for section in others if section.kind == DOCUMENT]
    refuse_unless(len(documents) <= DOCUMENTS_MAX, 1, f"send at most {DOCUMENTS_MAX} documents in one statement")
    found: list[BankPayment] = []
    misfits: list[Misfit] = []
    for section in documents:
        try:
            found += _payments(section, own_accounts)
        except StatementRefused as refused:
            misfits += refused.misfits
    if misfits:
        raise StatementRefused(*misfits[:MISFITS_MAX])
    return Statement(len(documents), tuple(_counted(found)))


def _counted(payments: Collection[BankPayment]) -> list[BankPayment]:
    """Each with how many there were before that are like it. Banks shorten names and purposes."""
    seen: dict[BankPayment, int] = {}
    counted: list[BankPayment] = []
    for payment in payments:
        alike = replace(payment, payer_name="", purpose="", payer_inn=None, received_on=payment.document_date)
        seen[alike] = seen.get(alike, 0) + 1
        counted.append(replace(payment, occurrence=seen[alike]))
    return counted


def _require_ours(head: Section, others: Collection[Section], own_accounts: Collection[str]) -> None:
    """The version, and that it is of an account of the seller's."""
    remedy = f"{VERSION_NAME}: export the statement in version {VERSION}"
    refuse_unless(head.value(VERSION_NAME) == VERSION, head.line_of(VERSION_NAME), remedy)
    named = {section.value(ACCOUNT_NAME) for section in (head, *others)}
    remedy = f"{ACCOUNT_NAME}: send the statement of an account of the seller's, which its file names in party.bank"
    refuse_unless(bool(named & set(own_accounts)), head.line_of(ACCOUNT_NAME), remedy)


def _payments(section: Section, own_accounts: Collection[str]) -> list[BankPayment]:
    """The money that came in by a document; none where it went out, or from one own account to another."""
    receiver = _fitting(section, "ПолучательСчет", _ACCOUNT, "give the account that is paid")
    if receiver not in own_accounts:
        return []
    payer = _fitting(section, "ПлательщикСчет", _ACCOUNT, "give the account that pays")
    if payer in own_accounts:
        return []
    inn = _fitting(section, "ПлательщикИНН", _INN, "give 10 or 12 digits, or leave it empty")
    payment = BankPayment(
        document_number=_fitting(section, "Номер", _NUMBER, "give the document's number, of 100 characters at most"),
        document_date=_day(section, "Дата"),
        received_on=_day(section, "ДатаПоступило"),
        amount_kopecks=_amount(section),
        payer_account=payer,
        payer_inn=inn if inn.strip("0") else None,
        payer_name=(section.value("Плательщик1") or section.value("Плательщик"))[:TEXT_LENGTH_MAX],
        receiver_account=receiver,
        purpose=section.value("НазначениеПлатежа")[:PURPOSE_LENGTH_MAX],
    )
    return [payment]


def _fitting(section: Section, name: str, form: re.Pattern[str], remedy: str) -> str:
    value = section.value(name)
    refuse_unless(form.fullmatch(value) is not None, section.line_of(name), f"{name}: {remedy}")
    return value


def _day(section: Section, name: str) -> date:
    remedy = "give a day such as 28.11.2026"
    day, month, year = _fitting(section, name, _DAY, remedy).split(".")
    refuse_unless(YEAR_MIN <= int(year) <= YEAR_MAX, section.line_of(name), f"{name}: {remedy}")
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        raise StatementRefused(Misfit(section.line_of(name), f"{name}: {remedy}")) from None


def _amount(section: Section) -> int:
    """In kopecks; a float never enters."""
    remedy = "give rubles and kopecks, such as 63800.00"
    rubles, _, kopecks = _fitting(section, "Сумма", _AMOUNT, remedy).replace(",", ".").partition(".")
    amount = int(rubles) * 100 + int(kopecks.ljust(2, "0"))
    refuse_unless(amount > 0, section.line_of("Сумма"), f"Сумма: {remedy}")
    return amount

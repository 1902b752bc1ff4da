"""A bank's statement is read in every encoding, strictly: each thing that is wrong is named by its line."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.billing.payments.exchange_format import LINE_LENGTH_MAX, StatementRefused
from services.billing.payments.statement import DOCUMENTS_MAX, BankPayment, Statement, read_statement
from tests.billing.statements import HEAD, OWN, document, statement, text

READ = BankPayment(
    document_number="123",
    document_date=date(2026, 11, 2),
    received_on=date(2026, 11, 3),
    amount_kopecks=6_380_000,
    payer_account="40702810900000000007",
    payer_inn="7736207543",
    payer_name="ООО «Ока»",
    receiver_account=OWN,
    purpose="Оплата по счёту = аванс",
)


def read(content: bytes) -> Statement:
    return read_statement(content, {OWN})


@pytest.mark.parametrize(
    ("encoding", "said"),
    [("cp1251", "Windows"), ("cp866", "DOS"), ("utf-8", "UTF-8"), ("utf-8-sig", "Windows"), ("utf-8", "Windows")],
)
@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_every_encoding_is_read(encoding: str, said: str, end: str):
    name = "ООО Ока" if encoding == "cp866" else "ООО «Ока»"  # which has no such quotation marks
    written = text(document(Плательщик1=name, Плательщик=name), head=HEAD | {"Кодировка": said}, end=end)
    (payment,) = read(written.encode(encoding)).payments
    assert payment.payer_name == name
    assert payment.purpose == READ.purpose


def test_money_that_came_in_is_read_and_other_money_is_passed_over():
    out = document(ПолучательСчет="40702810900000000008", ПлательщикСчет=OWN, ПлательщикИНН="что угодно")
    within = document(ПлательщикСчет=OWN)
    found = read(statement(document(), out, within))
    assert found == Statement(3, (READ,))


def test_payments_that_are_alike_are_counted():
    names = [payment.occurrence for payment in read(statement(document(), document(Плательщик1="Ока"))).payments]
    assert names == [1, 2]


@pytest.mark.parametrize(
    ("written", "kopecks"), [("1", 100), ("1.5", 150), ("0,01", 1), ("9999999999999.99", 999_999_999_999_999)]
)
def test_sums_are_kopecks(written: str, kopecks: int):
    assert read(statement(document(Сумма=written))).payments[0].amount_kopecks == kopecks


@pytest.mark.parametrize(
    ("field", "written"),
    [
        ("Сумма", ""), ("Сумма", "0.00"), ("Сумма", "-5.00"), ("Сумма", "1 000.00"), ("Сумма", "1.005"),
        ("Сумма", "1e3"), ("Сумма", "٣"), ("Дата", "31.02.2026"), ("Дата", "2026-11-02"), ("Дата", "01.01.1999"),
        ("ДатаПоступило", ""), ("ДатаПоступило", "02.11.26"), ("ПлательщикИНН", "123"), ("ПлательщикСчет", ""),
        ("ПолучательСчет", ""), ("Номер", ""), ("Номер", "7" * 101),
    ],
)  # fmt: skip
def test_a_value_that_does_not_fit_is_named_by_its_line(field: str, written: str):
    given = text(document(), document(**{field: written}))
    lines = [number for number, line in enumerate(given.split("\r\n"), 1) if line == f"{field}={written}"]
    with pytest.raises(StatementRefused) as refused:
        read(given.encode("utf-8"))
    (misfit,) = refused.value.misfits
    assert misfit.line == lines[-1]
    assert misfit.remedy.startswith(f"{field}: ")


def test_every_document_that_does_not_fit_is_named_at_once():
    with pytest.raises(StatementRefused) as refused:
        read(statement(*(document(Сумма="нет") for _ in range(30))))
    assert len(refused.value.misfits) == 20


WHOLE = text(document())


@pytest.mark.parametrize(
    "spoilt",
    [
        "", "\r\n", WHOLE.replace("1CClientBankExchange", "1CClientBank"), WHOLE.replace("=1.03", "=1.02"),
        WHOLE.replace("ВерсияФормата=1.03\r\n", ""), WHOLE.replace("Кодировка=Windows\r\n", ""),
        WHOLE.replace("Windows", "KOI8"), WHOLE.replace("КонецФайла\r\n", ""), WHOLE.replace("КонецДокумента\r\n", ""),
        WHOLE.replace("КонецРасчСчет\r\n", ""), WHOLE + "ещё", WHOLE.replace(OWN, "40702810900000000009"),
        WHOLE.replace("Номер=123", "Номер=123\r\nНомер=124"), WHOLE.replace("Номер=123", "Номер"),
        WHOLE.replace("КонецРасчСчет", "КонецРасчСчет\r\nСумма=1"), WHOLE.replace("КонецРасчСчет", "КонецДокумента"),
        WHOLE.replace("Номер=123", "Номер=12\x003"), WHOLE.replace("Номер=123", "Номер=12\r3"),
        WHOLE.replace("аванс", "а" * LINE_LENGTH_MAX), WHOLE.replace("Номер=123", "=123"),
        WHOLE[: len(WHOLE) // 2],
    ],
)  # fmt: skip
def test_a_file_that_does_not_fit_is_refused_with_a_line_and_a_remedy(spoilt: str):
    with pytest.raises(StatementRefused) as refused:
        read(spoilt.encode("utf-8"))
    for misfit in refused.value.misfits:
        assert 1 <= misfit.line <= spoilt.count("\n") + 1
        assert misfit.remedy


@pytest.mark.parametrize(("encoding", "said"), [("cp1251", "DOS"), ("cp866", "Windows"), ("koi8-r", "Windows")])
def test_a_text_in_another_encoding_than_it_says_is_refused(encoding: str, said: str):
    given = text(document(Плательщик1="ООО", Плательщик="ООО"), head=HEAD | {"Кодировка": said})
    with pytest.raises(StatementRefused):
        read(given.encode(encoding, "replace"))


def test_more_documents_than_are_read_at_once_are_refused():
    with pytest.raises(StatementRefused, match=str(DOCUMENTS_MAX)):
        read(statement(*[document()] * (DOCUMENTS_MAX + 1)))


@given(st.binary(max_size=2000))
def test_no_bytes_make_the_reader_fail(content: bytes):
    with pytest.raises(StatementRefused):
        read(content)


WORDS = [
    *WHOLE.split("\r\n"), "Сумма=", "=", "КонецФайла", "СекцияДокумент", "\x00", f"ПолучательСчет={OWN}", "x" * 5000,
]  # fmt: skip
CHANGES = st.tuples(st.integers(0, WHOLE.count("\r\n")), st.sampled_from(WORDS), st.integers(0, 1))


@given(st.lists(CHANGES, max_size=6))
def test_a_changed_statement_is_refused_or_has_only_whole_payments(changes: list[tuple[int, str, int]]):
    lines = WHOLE.split("\r\n")
    for place, line, dropped in changes:
        lines[place : place + dropped] = [line]
    for payment in _read_if_it_fits("\r\n".join(lines)):
        assert payment.amount_kopecks > 0
        assert payment.receiver_account == OWN
        assert payment.document_number
        assert payment.payer_account


def _read_if_it_fits(changed: str) -> tuple[BankPayment, ...]:
    try:
        return read(changed.encode("utf-8")).payments
    except StatementRefused:
        return ()


ANY_TEXT = st.text(st.characters(codec="cp1251", exclude_categories=["C", "Zl", "Zp"]), max_size=200).map(str.strip)


@given(ANY_TEXT, st.integers(1, 10**14), st.dates(date(2001, 1, 1), date(2198, 12, 31)), ANY_TEXT)
def test_what_a_bank_writes_is_what_is_read(purpose: str, kopecks: int, day: date, name: str):
    written = document(
        НазначениеПлатежа=purpose, Сумма=f"{kopecks // 100}.{kopecks % 100:02}", Дата=f"{day:%d.%m}.{day.year}",
        Плательщик1=name, Плательщик="",
    )  # fmt: skip
    (payment,) = read(statement(written)).payments
    assert (payment.purpose, payment.amount_kopecks, payment.document_date) == (purpose, kopecks, day)
    assert payment.payer_name == name

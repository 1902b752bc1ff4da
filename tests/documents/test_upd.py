"""The act as an УПД of the format 5.03: valid, to the kopeck, and the same bytes for ever."""

from datetime import UTC, datetime
from decimal import Decimal
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.reports import Act, ActLine, Party
from services.documents.upd import NoUpd, upd
from services.documents.upd_parties import full_name
from tests.documents.builder import SELLER, act, act_line
from tests.documents.upd_reading import kopecks, names, read, require_sums

CLOSED = datetime(2026, 4, 1, 22, 5, 9, tzinfo=UTC)
CUSTOMER = Party(name="АО «Северный ветер»", inn="7707083893", kpp="773601001", address="г. Москва, ул. Лесная, д. 5")
SOLE = Party(name="ИП Ким Анна", inn="500100732259", address="г. Пермь")

PUBLIC = """
Файл @ИдФайл @ВерсФорм @ВерсПрог
Файл/Документ @КНД @Функция @ПоФактХЖ @НаимДокОпр @ДатаИнфПр @ВремИнфПр @НаимЭконСубСост
Файл/Документ/СвСчФакт @НомерДок @ДатаДок
Файл/Документ/СвСчФакт/СвПрод
Файл/Документ/СвСчФакт/СвПрод/ИдСв
Файл/Документ/СвСчФакт/СвПрод/ИдСв/СвЮЛУч @НаимОрг @ИННЮЛ @КПП
Файл/Документ/СвСчФакт/СвПрод/Адрес
Файл/Документ/СвСчФакт/ДокПодтвОтгрНом @РеквНаимДок @РеквНомерДок @РеквДатаДок
Файл/Документ/СвСчФакт/СвПокуп
Файл/Документ/СвСчФакт/СвПокуп/ИдСв
Файл/Документ/СвСчФакт/СвПокуп/ИдСв/СвЮЛУч @НаимОрг @ИННЮЛ @КПП
Файл/Документ/СвСчФакт/СвПокуп/Адрес
Файл/Документ/СвСчФакт/ДенИзм @КодОКВ @НаимОКВ
Файл/Документ/ТаблСчФакт
Файл/Документ/ТаблСчФакт/СведТов @НомСтр @НаимТов @ОКЕИ_Тов @НаимЕдИзм @КолТов @ЦенаТов @СтТовБезНДС @НалСт @СтТовУчНал
Файл/Документ/ТаблСчФакт/СведТов/Акциз
Файл/Документ/ТаблСчФакт/СведТов/Акциз/БезАкциз
Файл/Документ/ТаблСчФакт/СведТов/СумНал
Файл/Документ/ТаблСчФакт/СведТов/СумНал/СумНал
Файл/Документ/ТаблСчФакт/ВсегоОпл @СтТовБезНДСВсего @СтТовУчНалВсего
Файл/Документ/ТаблСчФакт/ВсегоОпл/СумНалВсего
Файл/Документ/ТаблСчФакт/ВсегоОпл/СумНалВсего/СумНал
Файл/Документ/СвПродПер
Файл/Документ/СвПродПер/СвПер @СодОпер @ДатаПер @ДатаНачПер @ДатаОконПер
Файл/Документ/СвПродПер/СвПер/ОснПер @РеквНаимДок @РеквНомерДок @РеквДатаДок
Файл/Документ/Подписант @Должн @СпосПодтПолном
Файл/Документ/Подписант/ФИО @Фамилия @Имя @Отчество
"""
"""The skeleton of a public СЧФДОП of the format 5.03 that an operator took (of 14.08.2026, goods of two lines): of its
elements and attributes, those that services have."""

OF_TABLES = """
Файл/Документ/СвСчФакт/СвПрод/Адрес/АдрИнф @КодСтр @НаимСтран @АдрТекст
Файл/Документ/СвСчФакт/СвПокуп/Адрес/АдрИнф @КодСтр @НаимСтран @АдрТекст
Файл/Документ/ТаблСчФакт/СведТов/ИнфПолФХЖ2 @Идентиф @Значен
"""
"""What that example has no use for: an address as one text instead of its parts, and a field for one's own data."""


def listed(skeleton: str) -> set[str]:
    found: set[str] = set()
    for line in skeleton.strip().splitlines():
        path, *attributes = line.split()
        found |= {path, *(f"{path}{name}" for name in attributes)}
    return found


def taxed(*lines: ActLine, **values: object) -> Act:
    return act(*lines, **({"customer": CUSTOMER} | values))


def spring() -> Act:
    """Two prices at one rate, and hours whose price was agreed as a whole."""
    return taxed(
        act_line(610, 2_633_167, vat_mode="22"),
        act_line(290, 1_541_833, 319_000, "winter", plan="hours-20", vat_mode="22"),
        act_line(100, 1, None, "gift", vat_mode="22"),
    )


def plain() -> Act:
    return taxed(act_line(610, 2_633_167), act_line(30, 159_500, 319_000, None))


def corrected() -> Act:
    """At 22 % more is accepted than taken back."""
    return taxed(
        act_line(610, 2_633_167, vat_mode="22"),
        act_line(-30, -129_500, vat_mode="22", corrects_month="2026-01", corrects_act="42/2026-2026-01"),
        act_line(60, 259_000, vat_mode="5", corrects_month="2025-12", corrects_act="42/2026-2025-12"),
        act_line(60, 259_000),
    )


@pytest.mark.parametrize("of", [spring, plain, corrected])
def test_it_is_valid_and_its_sums_are_the_acts(of: object):
    made = of()  # type: ignore[operator]
    require_sums(read(upd(made, CLOSED)), made)


def test_it_has_the_skeleton_of_a_public_one():
    found = names(read(upd(spring(), CLOSED)))
    assert found - listed(OF_TABLES) == listed(PUBLIC)


def test_with_tax_it_is_an_invoice_and_without_tax_an_act():
    assert read(upd(spring(), CLOSED)).find("Документ").get("Функция") == "СЧФДОП"
    [document] = read(upd(plain(), CLOSED))
    assert document.get("Функция") == "ДОП"
    assert document.find("ТаблСчФакт/ВсегоОпл/СумНалВсего/БезНДС").text == "без НДС"


def test_its_name_says_receiver_sender_day_and_an_id_of_its_own():
    made = upd(spring(), CLOSED)
    *said, own, tail = made.name.split("_", 6)
    assert said == ["ON", "NSCHFDOPPR", "7707083893773601001", "7701234560770101001", "20260402"]
    assert (len(own), tail) == (36, "0_0_0_0_0_00.xml")
    other = upd(plain(), CLOSED)
    assert other.name != made.name
    assert upd(spring(), CLOSED) == made, "the same act has the same id, and the same bytes"


def test_a_price_stands_as_agreed_without_the_tax_in_it():
    first, _, gift = read(upd(spring(), CLOSED)).findall("Документ/ТаблСчФакт/СведТов")
    assert (first.get("КолТов"), first.get("ЦенаТов"), first.get("ОКЕИ_Тов")) == ("10.166667", "2122.95082", "356")
    assert gift.get("ЦенаТов") is None, "no price of an hour was agreed"
    assert "1,67 ч (1:40)" in gift.get("НаимТов").replace("\N{NO-BREAK SPACE}", " ")


@given(
    st.integers(1, 10_000), st.sampled_from([319_000, 289_000, 273_000, 259_000]), st.sampled_from(["none", "5", "22"])
)
def test_hours_and_price_of_six_digits_give_the_kopecks(tens: int, price: int, mode: str):
    minutes = 10 * tens
    made = taxed(act_line(minutes, round(Decimal(price * minutes) / 60), price, vat_mode=mode))
    [line] = read(upd(made, CLOSED)).findall("Документ/ТаблСчФакт/СведТов")
    product = Decimal(line.get("КолТов")) * Decimal(line.get("ЦенаТов"))
    assert abs(product * 100 - kopecks(line.get("СтТовБезНДС"))) <= 1


@given(st.lists(st.tuples(st.integers(1, 600), st.integers(0, 10**7), st.sampled_from(["none", "5", "7", "20", "22"])),
                min_size=1, max_size=12))  # fmt: skip
def test_the_tax_of_a_rate_is_split_to_the_kopeck(lines: list[tuple[int, int, str]]):
    made = taxed(*(act_line(minutes, amount, vat_mode=mode) for minutes, amount, mode in lines))
    require_sums(read(upd(made, CLOSED)), made)


def test_what_is_taken_back_is_subtracted_within_its_rate():
    first, *_ = read(upd(corrected(), CLOSED)).findall("Документ/ТаблСчФакт/СведТов")
    assert (first.get("СтТовУчНал"), first.get("НалСт"), first.get("ЦенаТов")) == ("25036.67", "22%", None)
    assert "за вычетом корректировок к актам № 42/2026-2026-01" in first.get("НаимТов")


def test_a_later_act_of_the_month_corrects_the_first_under_its_number():
    again = spring().model_copy(update={"number": "42/2026-2026-03/3", "revision": 3})
    heading = read(upd(again, CLOSED)).find("Документ/СвСчФакт")
    assert (heading.get("НомерДок"), heading.get("ДатаДок")) == ("42/2026-2026-03", "31.03.2026")
    assert dict(heading.find("ИспрДок").attrib) == {"НомИспр": "2", "ДатаИспр": "02.04.2026"}


def test_a_sole_trader_is_named_by_name():
    party = read(upd(spring().model_copy(update={"customer": SOLE}), CLOSED)).find(
        "Документ/СвСчФакт/СвПокуп/ИдСв/СвИП"
    )
    assert (party.get("ИННФЛ"), dict(party.find("ФИО").attrib)) == ("500100732259", {"Фамилия": "Ким", "Имя": "Анна"})


def test_letters_that_windows_1251_lacks_are_references_that_every_reader_takes():
    name = "ООО «Ёлка & <Ψ> 🚀 “€”»"
    made = upd(spring().model_copy(update={"customer": CUSTOMER.model_copy(update={"name": name})}), CLOSED)
    assert made.content.startswith(b'<?xml version="1.0" encoding="windows-1251"?>\n')
    assert "«Ёлка &amp; &lt;&#936;&gt; &#128640; “€”»".encode("cp1251") in made.content
    path = "Документ/СвСчФакт/СвПокуп/ИдСв/СвЮЛУч"
    assert read(made).find(path).get("НаимОрг") == name
    assert ET.fromstring(made.content).find(path).get("НаимОрг") == name


def refused(made: Act) -> NoUpd:
    with pytest.raises(NoUpd) as error:
        upd(made, CLOSED)
    return error.value


def test_what_it_lacks_is_named_with_its_remedy():
    unknown = Party(name="ООО «Ромашка»")
    error = refused(spring().model_copy(update={"seller": unknown, "customer": unknown}))
    assert [field.field for field in error.fields] == [
        "seller.inn", "seller.address", "customer.inn", "customer.address", "seller.signatory_name",
    ]  # fmt: skip
    assert "HOURBOOK_SELLER_FILE" in error.fields[0].remedy
    assert "customer_requisites.inn by PUT …/customer, effective on 2026-03-31" in error.fields[2].remedy
    assert "seller.inn: give it" in str(error)


def test_without_tax_no_address_is_needed():
    party = CUSTOMER.model_copy(update={"address": None})
    assert read(upd(plain().model_copy(update={"customer": party}), CLOSED)).find(".//СвПокуп/Адрес") is None


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"seller": SELLER.model_copy(update={"signatory_name": "Иванова"})}, "seller.signatory_name"),
        ({"customer": SOLE.model_copy(update={"name": "Ким"})}, "customer.name"),
        ({"customer": CUSTOMER.model_copy(update={"inn": "0000000000"})}, "customer.inn"),
        ({"contract_number": "7" * 256}, "contract_number"),
    ],
)
def test_what_does_not_fit_the_format_is_named(change: dict[str, object], field: str):
    assert [one.field for one in refused(spring().model_copy(update=change)).fields] == [field]


def test_an_act_that_is_none_or_not_final_or_below_zero_has_none():
    assert "Close the month first" in str(refused(spring().model_copy(update={"draft": True})))
    assert "there is no act" in str(refused(taxed()))
    taken = taxed(
        act_line(60, 259_000, vat_mode="22"),
        act_line(-30, -129_500, vat_mode="5", corrects_month="2026-01", corrects_act="42/2026-2026-01"),
    )
    assert "at the rate 5%" in str(refused(taken))
    assert "УКД (a correcting document) to 42/2026-2026-01" in str(refused(taken))


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Иванова Анна Петровна", ("Иванова", "Анна", "Петровна")),
        ("Иванова А. П.", ("Иванова", "А.", "П.")),
        ("Иванова А.П.", ("Иванова", "А.", "П.")),
        ("Ким Анна", ("Ким", "Анна", "")),
        ("Оглы Али Вагиф оглы", ("Оглы", "Али", "Вагиф оглы")),
        ("Иванова", None),
        ("", None),
        (None, None),
        ("И" * 61 + " Анна", None),
    ],
)
def test_a_name_in_its_parts(text: str | None, parts: tuple[str, str, str] | None):
    assert full_name(text) == parts

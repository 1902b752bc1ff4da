"""The act as an УПД: XML by the Federal Tax Service's format 5.03 (order ЕД-7-26/970@), seller's part.

With tax it is an invoice and an act in one (СЧФДОП), without tax an act (ДОП). What windows-1251 lacks is written as
numeric character references, which every reader of XML takes.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID, uuid5
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from contracts.problems import InvalidField
from contracts.quantities import SELLER_ZONE
from contracts.reports import Act, VatMode
from services.documents.formats import Formats, day_of, first_and_last, printable
from services.documents.upd_lines import BelowZero, UpdLine, upd_lines
from services.documents.upd_parties import add_full_name, add_party, identity, lacking

ENCODING = "windows-1251"
_DECLARATION = f'<?xml version="1.0" encoding="{ENCODING}"?>\n'.encode()
_SPACE = UUID("b9fdb1ee-6f0c-5f7b-9d6c-5f3c1c7f7a52")
"""In which an УПД's own id follows from its content."""

_FACT = "Документ об отгрузке товаров (выполнении работ), передаче имущественных прав (документ об оказании услуг)"
_TITLES = {"СЧФДОП": "Счет-фактура и акт об оказании услуг", "ДОП": "Акт об оказании услуг"}
_WITHOUT_TAX = "без НДС"
_HOUR = "356"
"""The hour in the classifier of units."""


class Upd(NamedTuple):
    """A file: its name, with which its id inside must agree, and its bytes."""

    name: str
    content: bytes


class NoUpd(Exception):
    """This act cannot be written as an УПД; `fields`: the requisites that it lacks, each with its remedy."""

    def __init__(self, why: str, fields: tuple[InvalidField, ...] = ()) -> None:
        super().__init__(why)
        self.fields = fields


def upd(act: Act, closed_at: datetime | None) -> Upd:
    """The same act always gives the same bytes. NoUpd where the month is open, or an УПД cannot say what it states.

    `closed_at`: when its month was closed, if it is.
    """
    if act.draft or closed_at is None:
        raise NoUpd(f"{act.month} is open: its act is a draft. Close the month first.")
    lines = _lines(act)
    function = "ДОП" if act.vat.mode == "none" else "СЧФДОП"
    file = Element("Файл", ИдФайл="", ВерсФорм="5.03", ВерсПрог="Hourbook")
    document = SubElement(
        file,
        "Документ",
        КНД="1115131",
        Функция=function,
        ПоФактХЖ=_FACT,
        НаимДокОпр=_TITLES[function],
        ДатаИнфПр=_day(day_of(closed_at)),
        ВремИнфПр=closed_at.astimezone(SELLER_ZONE).strftime("%H.%M.%S"),
        НаимЭконСубСост=_maker(act),
    )
    _add_heading(document, act, function, closed_at)
    _add_table(document, lines)
    _add_transfer(document, act)
    signer = SubElement(document, "Подписант", СпосПодтПолном="1")
    if act.seller.signatory_position:
        signer.set("Должн", printable(act.seller.signatory_position)[:255])
    add_full_name(signer, act.seller.signatory_name)
    name = _name(act, closed_at, uuid5(_SPACE, tostring(file, "unicode")))
    file.set("ИдФайл", name)
    indent(file, "  ")
    return Upd(f"{name}.xml", _DECLARATION + tostring(file, ENCODING, xml_declaration=False))


def _lines(act: Act) -> list[UpdLine]:
    if not act.to_sign:
        raise NoUpd(f"In {act.month} nothing is to be accepted: there is no act, and so no УПД.")
    try:
        lines = upd_lines(act, Formats("ru"))
    except BelowZero as below:
        raise NoUpd(
            f"The act of {act.month} takes back more than it accepts at the rate {_rate(below.mode)}, and no sum of an "
            f"УПД is below zero. Make an УКД (a correcting document) to {', '.join(below.acts)} instead."
        ) from below
    if missing := lacking(act):
        wrong = "; ".join(f"{field.field}: {field.remedy}" for field in missing)
        raise NoUpd(f"An УПД needs requisites that are not known: {wrong}.", tuple(missing))
    return lines


def _name(act: Act, closed_at: datetime, own: UUID) -> str:
    """Receiver, sender, the day it was made, its own id; then, in six places, that it holds nothing special."""
    parties = f"{identity(act.customer)}_{identity(act.seller)}"
    return f"ON_NSCHFDOPPR_{parties}_{day_of(closed_at):%Y%m%d}_{own}_0_0_0_0_0_00"


def _maker(act: Act) -> str:
    codes = [f"ИНН {act.seller.inn}", *([f"КПП {act.seller.kpp}"] if act.seller.kpp else [])]
    return printable(", ".join([act.seller.name, *codes]))


def _number(act: Act) -> str:
    """That of the first act of the month: a later one corrects it under the same number."""
    return act.number.removesuffix(f"/{act.revision}") if act.revision > 1 else act.number


def _add_heading(document: Element, act: Act, function: str, closed_at: datetime) -> None:
    """Number and day, both sides, and the currency."""
    number = printable(_number(act))
    heading = SubElement(document, "СвСчФакт", НомерДок=number, ДатаДок=_day(act.act_date))
    if act.revision > 1:
        SubElement(heading, "ИспрДок", НомИспр=str(act.revision - 1), ДатаИспр=_day(day_of(closed_at)))
    add_party(heading, "СвПрод", act.seller)
    if function == "СЧФДОП":
        _add_document(heading, "ДокПодтвОтгрНом", _TITLES[function], number[:255], act.act_date)
    add_party(heading, "СвПокуп", act.customer)
    SubElement(heading, "ДенИзм", КодОКВ="643", НаимОКВ="Российский рубль")


def _add_document(parent: Element, tag: str, title: str, number: str, day: date) -> None:
    SubElement(parent, tag, РеквНаимДок=title, РеквНомерДок=printable(number), РеквДатаДок=_day(day))


def _add_table(document: Element, lines: list[UpdLine]) -> None:
    """The services with the tax of each, and their sums."""
    table = SubElement(document, "ТаблСчФакт")
    for number, line in enumerate(lines, 1):
        _add_line(table, number, line)
    sums = SubElement(
        table,
        "ВсегоОпл",
        СтТовБезНДСВсего=_rubles(sum(line.net_kopecks for line in lines)),
        СтТовУчНалВсего=_rubles(sum(line.total_kopecks for line in lines)),
    )
    taxed = [line.vat_kopecks for line in lines if line.mode != "none"]
    _add_tax(SubElement(sums, "СумНалВсего"), sum(taxed) if taxed else None)


def _add_line(table: Element, number: int, line: UpdLine) -> None:
    element = SubElement(table, "СведТов", НомСтр=str(number), НаимТов=printable(line.name))
    if line.hours is not None and line.hour_price is not None:
        quantity, price = _plain(line.hours), _plain(line.hour_price)
        element.attrib.update({"ОКЕИ_Тов": _HOUR, "НаимЕдИзм": "ч", "КолТов": quantity, "ЦенаТов": price})
    element.set("СтТовБезНДС", _rubles(line.net_kopecks))
    element.set("НалСт", _rate(line.mode))
    element.set("СтТовУчНал", _rubles(line.total_kopecks))
    SubElement(SubElement(element, "Акциз"), "БезАкциз").text = "без акциза"
    _add_tax(SubElement(element, "СумНал"), None if line.mode == "none" else line.vat_kopecks)
    SubElement(element, "ИнфПолФХЖ2", Идентиф="Минуты", Значен=str(line.minutes))


def _add_tax(parent: Element, kopecks: int | None) -> None:
    if kopecks is None:
        SubElement(parent, "БезНДС").text = _WITHOUT_TAX
    else:
        SubElement(parent, "СумНал").text = _rubles(kopecks)


def _add_transfer(document: Element, act: Act) -> None:
    """That the services of the month were rendered, and by which contract."""
    first, last = (_day(day) for day in first_and_last(act.month))
    days = {"ДатаПер": _day(act.act_date), "ДатаНачПер": first, "ДатаОконПер": last}
    transfer = SubElement(SubElement(document, "СвПродПер"), "СвПер", {"СодОпер": "Услуги оказаны", **days})
    _add_document(transfer, "ОснПер", "Договор", act.contract_number, act.contract_date)


def _rate(mode: VatMode) -> str:
    return _WITHOUT_TAX if mode == "none" else f"{mode}%"


def _day(day: date) -> str:
    return f"{day:%d.%m.%Y}"


def _rubles(kopecks: int) -> str:
    return f"{kopecks // 100}.{kopecks % 100:02}"


def _plain(number: Decimal) -> str:
    """Without the zeros at its end.

    >>> _plain(Decimal("2590.000000")), _plain(Decimal("10.166667"))
    ('2590', '10.166667')
    """
    return f"{number:f}".rstrip("0").rstrip(".")

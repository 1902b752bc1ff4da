"""УПД read back: valid by our schema and by what its tables say beyond a schema, and their sums."""

from decimal import Decimal
from functools import cache
from pathlib import Path

from lxml import etree

from contracts.reports import Act
from services.documents.upd import Upd


@cache
def _schema() -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(Path(__file__).with_name("upd.xsd")))


def read(made: Upd) -> etree._Element:
    """The file, once it is valid."""
    file = etree.fromstring(made.content)
    _schema().assertValid(file)
    require_conditions(file)
    assert made.name == f"{file.get('ИдФайл')}.xml", "the file is called by its id"
    return file


def require_conditions(file: etree._Element) -> None:
    """What must be there if something else is."""
    [document] = file
    invoice = document.get("Функция") == "СЧФДОП"
    for party in document.xpath("СвСчФакт/СвПрод | СвСчФакт/СвПокуп"):
        assert not invoice or party.find("Адрес") is not None
    assert invoice == (document.find("СвСчФакт/ДокПодтвОтгрНом") is not None)
    for line in document.iterfind("ТаблСчФакт/СведТов"):
        quantities = [name in line.attrib for name in ("ОКЕИ_Тов", "НаимЕдИзм", "КолТов", "ЦенаТов")]
        assert all(quantities) or not any(quantities)
        assert (line.get("НалСт") == "без НДС") == (line.find("СумНал/БезНДС") is not None)
    rates = {line.get("НалСт") for line in document.iterfind("ТаблСчФакт/СведТов")}
    assert invoice == (rates != {"без НДС"})


def kopecks(rubles: str | None) -> int:
    return int(Decimal(rubles or "0") * 100)


def require_sums(file: etree._Element, act: Act) -> None:
    """Lines, totals and tax are the act's, to the kopeck."""
    lines = file.findall("Документ/ТаблСчФакт/СведТов")
    total = file.find("Документ/ТаблСчФакт/ВсегоОпл")
    tax = kopecks(total.findtext("СумНалВсего/СумНал"))
    assert tax == act.vat.amount_kopecks
    assert kopecks(total.get("СтТовУчНалВсего")) == act.total_kopecks
    assert kopecks(total.get("СтТовБезНДСВсего")) == act.total_kopecks - tax
    for line in lines:
        of_line = kopecks(line.findtext("СумНал/СумНал"))
        assert kopecks(line.get("СтТовБезНДС")) + of_line == kopecks(line.get("СтТовУчНал"))
    for rate in act.vat_rates:
        of_rate = [
            line for line in lines if line.get("НалСт").removesuffix("%") == rate.mode.replace("none", "без НДС")
        ]
        assert sum(kopecks(line.get("СтТовУчНал")) for line in of_rate) == rate.total_kopecks
        assert sum(kopecks(line.findtext("СумНал/СумНал")) for line in of_rate) == rate.vat_kopecks
    assert sum(int(line.find("ИнфПолФХЖ2").get("Значен")) for line in lines) == act.total_minutes


def names(file: etree._Element) -> set[str]:
    """Every element and attribute by its path, without what is above the document."""
    found: set[str] = set()
    for element in file.iter():
        path = "/".join([*reversed([above.tag for above in element.iterancestors()]), element.tag])
        found |= {path, *(f"{path}@{name}" for name in element.attrib)}
    return found

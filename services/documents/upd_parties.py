"""Seller and customer as an УПД names them, and what of their requisites it lacks."""

import re
from typing import NamedTuple
from xml.etree.ElementTree import Element, SubElement

from contracts.problems import InvalidField
from contracts.reports import Act, Party
from services.documents.formats import printable

_SOLE = re.compile(r"^\s*(?:ИП|Индивидуальный предприниматель)\s+", re.IGNORECASE)
_INITIALS = re.compile(r"^(\w\.)\s*(\w\.)$")
_INN = re.compile(r"([0-9][1-9]|[1-9][0-9])[0-9]+")
_NAME_LENGTH_MAX = 60

_SELLERS = "give it in the seller's file (HOURBOOK_SELLER_FILE), in force on {day}"
_CUSTOMERS = "give it as customer_requisites.{name} by PUT …/customer, effective on {day} or before"
_FULL_NAME = "write surname and name, such as Иванова Анна Петровна; at most 60 letters each"


class FullName(NamedTuple):
    """Of a person; the second name may be missing."""

    surname: str
    name: str
    second_name: str


def full_name(text: str | None) -> FullName | None:
    """`Иванова Анна Петровна` or `Иванова А. П.`; None where there is no surname with a name.

    >>> full_name("Иванова А.П.")
    FullName(surname='Иванова', name='А.', second_name='П.')
    """
    surname, _, rest = printable(text or "").strip().partition(" ")
    initials = _INITIALS.match(rest.strip())
    name, second = initials.groups() if initials else (*rest.split(maxsplit=1), "", "")[:2]
    found = FullName(surname, name, second.strip())
    return found if surname and name and max(map(len, found)) <= _NAME_LENGTH_MAX else None


def is_person(party: Party) -> bool:
    """A sole trader's INN has twelve digits."""
    return len(party.inn or "") == 12


def lacking(act: Act) -> list[InvalidField]:
    """The requisites that an УПД needs and that are not known, each with what to do about it."""
    day = act.act_date.isoformat()
    found = [
        InvalidField(field=f"{role}.{name}", remedy=where.format(name=name, day=day))
        for role, party, where in (("seller", act.seller, _SELLERS), ("customer", act.customer, _CUSTOMERS))
        for name in _lacking_of(party, needs_address=act.vat.mode != "none")
    ]
    if full_name(act.seller.signatory_name) is None:
        found.append(InvalidField(field="seller.signatory_name", remedy=f"{_FULL_NAME}; {_SELLERS.format(day=day)}"))
    for role, party in (("seller", act.seller), ("customer", act.customer)):
        if is_person(party) and full_name(_SOLE.sub("", party.name)) is None:
            found.append(InvalidField(field=f"{role}.name", remedy=_FULL_NAME))
    if len(act.contract_number) > 255:
        found.append(InvalidField(field="contract_number", remedy="use at most 255 characters"))
    return found


def _lacking_of(party: Party, *, needs_address: bool) -> list[str]:
    """An invoice, so where there is tax, names the addresses too."""
    inn = party.inn or ""
    return [
        *([] if _INN.fullmatch(inn) else ["inn"]),
        *(["address"] if needs_address and not party.address else []),
    ]


def identity(party: Party) -> str:
    """How the name of a file calls a party: by its INN and, of an organisation, its KPP."""
    return f"{party.inn}{party.kpp or ''}"


def add_party(parent: Element, tag: str, party: Party) -> None:
    """Who it is, and where."""
    element = SubElement(parent, tag)
    known = SubElement(element, "ИдСв")
    if is_person(party):
        add_full_name(SubElement(known, "СвИП", ИННФЛ=party.inn or ""), _SOLE.sub("", party.name))
    else:
        organisation = SubElement(known, "СвЮЛУч", НаимОрг=printable(party.name), ИННЮЛ=party.inn or "")
        if party.kpp:
            organisation.set("КПП", party.kpp)
    if party.address:
        address = SubElement(element, "Адрес")
        SubElement(address, "АдрИнф", КодСтр="643", НаимСтран="Россия", АдрТекст=printable(party.address))


def add_full_name(parent: Element, text: str | None) -> None:
    """Surname, name and, if there is one, second name."""
    name = full_name(text)
    assert name is not None, "what an УПД lacks was refused before"
    element = SubElement(parent, "ФИО", Фамилия=name.surname, Имя=name.name)
    if name.second_name:
        element.set("Отчество", name.second_name)

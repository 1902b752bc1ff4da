"""Seller and customer as documents name them; what is not known is left out, and signatures are blank lines."""

from typing import Any

from contracts.reconciliations import Reconciliation
from contracts.reports import Act, MonthlyReport, Party
from services.documents.formats import Formats


def requisites(party: Party, formats: Formats) -> list[str]:
    """What identifies a party beside its name, a line each."""
    words = formats.words
    codes = [f"{words[key]} {value}" for key, value in (("inn", party.inn), ("kpp", party.kpp)) if value]
    lines = [" · ".join(codes)] if codes else []
    return [*lines, *filter(None, (party.address, party.bank_details))]


def party_block(role: str, party: Party, formats: Formats) -> dict[str, Any]:
    """A party under its role, with the person who signs for it."""
    return {
        "role": formats.words[role],
        "name": party.name,
        "requisites": requisites(party, formats),
        "signatory_position": party.signatory_position,
        "signatory_name": party.signatory_name,
        "signatory_authority": party.signatory_authority,
    }


def foot(document: MonthlyReport | Act | Reconciliation, formats: Formats) -> str:
    """What every page says of its origin: the contract, and the last event the document rests on."""
    words = formats.words
    contract = f"{words['contract']} {words['number']} {document.contract_number}"
    return f"{contract} · {words['as_recorded']}{document.position}"

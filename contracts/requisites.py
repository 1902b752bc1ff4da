"""Who a party to a contract is, beyond its name: what a primary document states of it (402-ФЗ art. 9)."""

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, WithJsonSchema

from contracts.quantities import Name, Text

_INN = re.compile(r"[0-9]{10}|[0-9]{12}")
_KPP = re.compile(r"[0-9]{4}[0-9A-Z]{2}[0-9]{3}")
_WEIGHTS = (3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8)
"""Those of the last check digit; a check digit before it has as many of the last ones as digits precede it."""


def _inn(given: str) -> str:
    if not _INN.fullmatch(given):
        raise ValueError("give the 10 digits of an organisation's INN, or the 12 of a person's")
    for place in (9,) if len(given) == 10 else (10, 11):
        weighed = sum(int(digit) * weight for digit, weight in zip(given, _WEIGHTS[-place:], strict=False))
        if weighed % 11 % 10 != int(given[place]):
            raise ValueError("check the digits of the INN: one of them is wrong")
    return given


def _kpp(given: str) -> str:
    if not _KPP.fullmatch(given):
        raise ValueError("give the 9 characters of a KPP, such as 770101001")
    return given


Inn = Annotated[str, AfterValidator(_inn), WithJsonSchema({"type": "string", "pattern": f"^({_INN.pattern})$"})]
"""A Russian taxpayer's number; its last digit, or last two, check the others."""

Kpp = Annotated[str, AfterValidator(_kpp), WithJsonSchema({"type": "string", "pattern": f"^{_KPP.pattern}$"})]
"""The code of the reason for which an organisation is registered with a tax office."""


class Requisites(BaseModel):
    """What is not known is left to be written by hand."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    inn: Inn | None = None
    kpp: Kpp | None = None
    address: Text | None = None
    bank_details: Text | None = None
    signatory_position: Name | None = None
    signatory_name: Name | None = None
    signatory_authority: Name | None = None

"""Who a party to a contract is, beyond its name: what a primary document states of it (402-ФЗ art. 9)."""

import re
from itertools import cycle
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints, WithJsonSchema, model_validator

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


def _account_key(bic: str, account: str) -> bool:
    """Whether the account's ninth digit checks it together with its bank's BIC (rules of the Bank of Russia, 515)."""
    of_central_bank = account.startswith("30101")
    digits = (f"0{bic[4:6]}" if of_central_bank else bic[-3:]) + account
    return sum(int(digit) * weight % 10 for digit, weight in zip(digits, cycle((7, 1, 3)), strict=False)) % 10 == 0


Bic = Annotated[str, StringConstraints(pattern=r"^04[0-9]{7}$")]
"""A bank's identification code in Russia."""

BankAccount = Annotated[str, StringConstraints(pattern=r"^[0-9]{20}$")]
"""The number of a bank account in Russia."""

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


class Bank(BaseModel):
    """Where the seller is paid: what an invoice and its payment code state, each account checked with the BIC.

    A payee at the Bank of Russia itself, such as a treasury, has no correspondent account.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name
    bic: Bic
    account: BankAccount
    correspondent_account: BankAccount | None = None

    @model_validator(mode="after")
    def _keys_fit(self) -> Self:
        for field, account in (("account", self.account), ("correspondent_account", self.correspondent_account)):
            if account and not _account_key(self.bic, account):
                raise ValueError(f"{field}: check its digits and those of bic: they do not fit together")
        return self

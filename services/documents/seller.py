"""The seller as documents name it, and its VAT modes, each from a day on: a TOML file of the operator's."""

import tomllib
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from contracts.quantities import GivenName, rounded_division
from contracts.reports import Party, VatMode
from contracts.requisites import Bank

NAMELESS = "Исполнитель"
"""What documents call a seller of whom no file says more."""


class Dated(BaseModel):
    """Something in force from a day on, until the next of its kind is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    in_force_from: date = date(2000, 1, 1)


class DatedVat(Dated):
    """A VAT mode and the day it came into force."""

    mode: VatMode


class DatedParty(Dated, Party):
    """The seller's name and requisites, and the day from which they are these."""

    name: GivenName
    bank: Bank | None = None


Kind = TypeVar("Kind", bound=Dated)


def _in_order(dated: tuple[Kind, ...]) -> tuple[Kind, ...]:
    if any(later.in_force_from <= earlier.in_force_from for earlier, later in pairwise(dated)):
        raise ValueError("give each an in_force_from, later than that of the one before")
    return dated


def _alone(given: Any) -> Any:
    """One that was always in force may be written `[party]` instead of `[[party]]`."""
    return (given,) if isinstance(given, dict) else given


InOrder = Annotated[tuple[Kind, ...], Field(min_length=1), AfterValidator(_in_order)]


class Seller(BaseModel):
    """The requisites of 402-ФЗ art. 9 on the seller's side, and its VAT modes (rule 10.4).

    A closed month's documents name what was in force on its last day. So they never change, as long as the operator
    only adds to the file what comes into force later.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    party: Annotated[InOrder[DatedParty], BeforeValidator(_alone)] = (DatedParty(name=NAMELESS),)
    vat: InOrder[DatedVat] = (DatedVat(mode="none"),)

    def party_on(self, day: date) -> Party:
        """The seller as it was on that day; as it was first, before any."""
        return Party(**_in_force(self.party, day).model_dump(exclude={"in_force_from", "bank"}))

    def bank_on(self, day: date) -> Bank | None:
        """Where the seller was paid on that day."""
        return _in_force(self.party, day).bank

    @property
    def accounts(self) -> frozenset[str]:
        """Every account that the seller was ever paid at."""
        return frozenset(party.bank.account for party in self.party if party.bank)

    def vat_mode(self, day: date) -> VatMode:
        """The mode in force on that day; the first one before any was."""
        return _in_force(self.vat, day).mode


def _in_force(dated: tuple[Kind, ...], day: date) -> Kind:
    return next((one for one in reversed(dated) if one.in_force_from <= day), dated[0])


def vat_within(amount_kopecks: int, mode: VatMode) -> int:
    """The tax contained in an amount, in kopecks, rounded half to even (rule 1.2)."""
    rate = 0 if mode == "none" else int(mode)
    return rounded_division(amount_kopecks * rate, 100 + rate)


def seller(file: Path | None) -> Seller:
    """The seller of that file, nameless without one; pydantic's ValidationError names what does not fit."""
    if file is None:
        return Seller()
    return Seller.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))

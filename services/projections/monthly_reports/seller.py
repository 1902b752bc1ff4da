"""The seller as documents name it, and its VAT modes, each from a day on: a TOML file of the operator's."""

import tomllib
from datetime import date
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from contracts.reports import Party

VatMode = Literal["none", "5", "7", "20", "22"]


class DatedVat(BaseModel):
    """A VAT mode and the day it came into force."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    in_force_from: date
    mode: VatMode


class Seller(BaseModel):
    """The requisites of 402-ФЗ art. 9 on the seller's side, and its VAT modes, the earliest first (rule 10.4)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    party: Party = Party(name="Исполнитель")
    vat: tuple[DatedVat, ...] = Field(default=(DatedVat(in_force_from=date(2000, 1, 1), mode="none"),), min_length=1)

    def vat_mode(self, day: date) -> VatMode:
        """The mode in force on that day; the first one before any was."""
        in_force = [dated.mode for dated in self.vat if dated.in_force_from <= day]
        return in_force[-1] if in_force else self.vat[0].mode


def seller(file: Path | None) -> Seller:
    """The seller of that file, nameless without one; pydantic's ValidationError names what does not fit."""
    if file is None:
        return Seller()
    return Seller.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))

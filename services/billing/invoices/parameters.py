"""What questions about invoices are asked with."""

from datetime import date
from typing import Annotated, Literal, NamedTuple

from fastapi import Depends, Path, Query
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from contracts.invoices import NUMBER_FORM, InvoiceState
from contracts.quantities import POSITION_MAX, AccountId, parse_calendar_date
from services.documents import Lang

AccountPath = Annotated[AccountId, Path()]
NumberPath = Annotated[str, Path(pattern=f"^{NUMBER_FORM}$")]
AskedDay = Annotated[date, BeforeValidator(parse_calendar_date)]


class Asked(BaseModel):
    """Query parameters."""

    model_config = ConfigDict(frozen=True)


class AskedInvoices(Asked):
    """Which invoices to list: in that state, issued from one day through another."""

    state: InvoiceState | None = None
    issued_from: AskedDay | None = None
    issued_through: AskedDay | None = None
    cursor: Annotated[int, Field(ge=1, le=POSITION_MAX)] | None = None
    limit: Annotated[int, Field(ge=1, le=1000)] = 100


class AskedAllInvoices(AskedInvoices):
    """The same, of one account or of all that the caller sees."""

    account_id: AccountId | None = None


class InvoiceFile(NamedTuple):
    """An invoice's number, and the form it is wanted in."""

    number: str
    form: Literal["json", "pdf", "xlsx"]


async def _file(
    file: Annotated[str, Path(pattern=rf"^{NUMBER_FORM}(\.(json|pdf|xlsx))?$")],
) -> InvoiceFile:
    """A number such as 2026-17, with .json, .pdf or .xlsx behind it or nothing."""
    number, _, form = file.partition(".")
    return InvoiceFile(number, form or "json")  # pyright: ignore[reportArgumentType] - the pattern has no other


FileOf = Annotated[InvoiceFile, Depends(_file)]
AskedLang = Annotated[Lang, Query()]
DryRun = Annotated[bool, Query()]

"""An invoice is issued in three steps: the form is filled in, what it would say is shown, and it is issued once."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from starlette.responses import Response

from contracts.access import Right
from contracts.invoices import Invoice
from contracts.read_models import AccountView
from services.pages.commands.fields import Field, nested
from services.pages.commands.forms import ACCOUNT, Form
from services.pages.commands.giving import answered, filled_in
from services.pages.errors import NothingHere
from services.pages.visit import Visit

PATH = f"{ACCOUNT}/invoices"
VALID_DAYS = Field("valid_days", "days", required=False)

FORMS = {
    "package": Form("invoice-package", Right.MONEY, PATH, (
        Field("package.plan", "choice"), Field("package.carry_over", "check", required=False),
        Field("package.package_id", required=False), VALID_DAYS,
        Field("package.agreed.minutes", "minutes", required=False),
        Field("package.agreed.price_kopecks", "money", required=False),
        Field("package.agreed.ends_on", "day", required=False), Field("package.agreed.reason", required=False))),
    "debt": Form("invoice-debt", Right.MONEY, PATH, (Field("debt.minutes", "minutes", required=False), VALID_DAYS)),
}  # fmt: skip
"""By what is invoiced."""


async def show_form(visit: Visit) -> Response:
    """The form; a package takes over what is left of the one before it, unless that is unticked."""
    form, account = await _asked(visit)
    return await filled_in(visit, form, account, {"package.carry_over": "true"}, visit.new_key())


async def receive_form(visit: Visit) -> Response:
    """What was filled in is tried, or issued; what is refused goes back to the field at fault."""
    form, account = await _asked(visit)
    found = await answered(visit, form, account, "issue", partial(_sent, visit, account))
    if isinstance(found, Response):
        return found
    if not found.is_tried:
        return visit.go_to(f"/customers/{account.account_id}/invoices")
    shown = {"values": found.values, "key": found.key, "invoice": found.answer}
    return visit.html("invoices/tried.html", form=form, account=account, **shown)


async def _asked(visit: Visit) -> tuple[Form, AccountView]:
    form = FORMS.get(visit.named("subject"))
    if form is None:
        raise NothingHere
    return form, await visit.api.get(AccountView, f"/v1/accounts/{visit.named('account_id')}")


async def _sent(visit: Visit, account: AccountView, given: Mapping[str, Any], key: str, *, is_tried: bool) -> Invoice:
    subject = visit.named("subject")
    body = {subject: {}} | nested(given.items())
    asked = {"dry_run": "true"} if is_tried else {}
    return Invoice.model_validate(
        await visit.api.send(PATH.format(account_id=account.account_id), body, key=key, **asked)
    )

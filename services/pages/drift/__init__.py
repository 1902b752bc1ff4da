"""Where a month of the portal that the work comes from and of the ledger differ, and what would make them agree."""

import re

from starlette.responses import Response

from contracts.access import Right
from contracts.drift import Drift, PortalStates
from contracts.quantities import MONTH_FORM
from services.pages.drift.words import WORDS
from services.pages.errors import NothingHere
from services.pages.page import Page
from services.pages.present import last_month
from services.pages.visit import Visit

__all__ = ("PAGES", "WORDS")

FORMS = {"CloseTask": "close-task", "CorrectTask": "correct-task", "ReopenTask": "reopen-task"}


async def show_drift(visit: Visit) -> Response:
    """A month as the connector compared it last; without a month, the one that was over last."""
    month = visit.asked("month") or await last_month(visit)
    if not re.fullmatch(MONTH_FORM, month):
        raise NothingHere
    return visit.html(
        "drift/drift.html",
        month=month,
        drift=await visit.api.get(Drift, "/v1/drift", month=month),
        portals=(await visit.api.get(PortalStates, "/v1/portals")).portals,
        forms=FORMS,
        may_record=visit.may(Right.TASKS),
    )


PAGES = (Page("/drift", show=show_drift, right=Right.ALL_ACCOUNTS, whole=True),)

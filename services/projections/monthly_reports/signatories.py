"""Who signs for the customer: the name stands beside the log, where it can be erased, and in no read model."""

import re
from typing import TypeVar

import httpx

from contracts.quantities import COMMITMENT_FORM
from contracts.reconciliations import Reconciliation
from contracts.reports import MonthlyReport
from services.projections.read_models import reaching_ledger

ANSWER_SECONDS_MAX = 2

Document = TypeVar("Document", MonthlyReport, Reconciliation)


async def with_signatory(document: Document, ledger: httpx.AsyncClient) -> Document:
    """The document with the name itself; without one where it was erased, so that it is left to be written by hand.

    Names of earlier versions stand in the events themselves.
    """
    commitment = document.customer.signatory_name
    if commitment is None or not re.fullmatch(COMMITMENT_FORM, commitment):
        return document
    with reaching_ledger("has the names"):
        answer = await ledger.get(
            f"/v1/accounts/{document.account_id}/personal-data",
            params={"commitment": commitment},
            timeout=ANSWER_SECONDS_MAX,
        )
        texts = answer.raise_for_status().json()
    name = texts[0]["text"] if texts else None
    return document.model_copy(update={"customer": document.customer.model_copy(update={"signatory_name": name})})

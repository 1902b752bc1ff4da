"""Who signs for the customer: the name stands beside the log, where it can be erased, and in no read model."""

import re

import httpx

from contracts.quantities import COMMITMENT_FORM
from contracts.reports import MonthlyReport
from services.projections.running import reaching_ledger

ANSWER_SECONDS_MAX = 2


async def with_signatory(report: MonthlyReport, ledger: httpx.AsyncClient) -> MonthlyReport:
    """The report with the name itself; without one where it was erased, so that it is left to be written by hand.

    Names of earlier versions stand in the events themselves.
    """
    commitment = report.customer.signatory_name
    if commitment is None or not re.fullmatch(COMMITMENT_FORM, commitment):
        return report
    with reaching_ledger("has the names"):
        answer = await ledger.get(
            f"/v1/accounts/{report.account_id}/personal-data",
            params={"commitment": commitment},
            timeout=ANSWER_SECONDS_MAX,
        )
        texts = answer.raise_for_status().json()
    name = texts[0]["text"] if texts else None
    return report.model_copy(update={"customer": report.customer.model_copy(update={"signatory_name": name})})

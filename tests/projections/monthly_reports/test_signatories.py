"""Who signs for the customer is asked of the ledger, for documents alone."""

import httpx
import pytest

from tests.projections.questions import Queries, caught_up
from tests.projections.vocabulary import Log, opened

COMMITMENT = "sha256-2:" + "0" * 64
FILES = ("reports/2026-03", "reports/2026-03.pdf", "acts/2026-03.xlsx")


@pytest.mark.parametrize("file", FILES)
async def test_no_document_is_made_without_the_name_while_the_ledger_cannot_say_it(
    log: Log, client: httpx.AsyncClient, file: str
):
    """The ledger here has a log and no names."""
    log.record("romashka", opened(requisites={"signatory_name": COMMITMENT}))
    answer = await caught_up(client, f"/v1/accounts/romashka/{file}", 1)
    assert (answer.status_code, answer.json()["type"]) == (503, "urn:hourbook:problem:ledger-unavailable")


async def test_a_name_that_an_old_event_holds_itself_is_shown(log: Log, ask: Queries):
    log.record("romashka", opened(requisites={"signatory_name": "Роман Ромашкин"}))
    report = await ask("/romashka/reports/2026-03")
    assert report["customer"]["signatory_name"] == "Роман Ромашкин"

"""Setting a document takes as long as a hundred queries, and none of them waits for its connection."""

from typing import Any

import httpx
import pytest

from services.projections.monthly_reports import routes
from tests.projections.questions import Queries
from tests.projections.vocabulary import Log, opened, purchased

PLACES = {
    "report": "reports/2026-03",
    "act": "acts/2026-03",
    "reconciliation": "reconciliations/2026-01-01/2026-03-31",
}


@pytest.mark.parametrize("document", PLACES)
@pytest.mark.parametrize("form", ["pdf", "xlsx"])
async def test_a_document_is_set_after_its_connection_is_let_go(
    log: Log, ask: Queries, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, document: str, form: str
):
    log.record("romashka", opened(), purchased("spring", 1200, on="2026-03-01", until="2026-06-02"))
    transport: Any = client._transport
    pool = transport.app.state.projections.pool
    held: list[int] = []
    typeset = getattr(routes, f"{document}_{form}")

    def watched(made: Any, lang: str) -> bytes:
        held.append(pool.get_size() - pool.get_idle_size())
        return typeset(made, lang)

    monkeypatch.setattr(routes, f"{document}_{form}", watched)
    answer = await ask.answer(f"/romashka/{PLACES[document]}.{form}")
    assert (answer.status_code, held) == (200, [0])
    assert answer.headers["Content-Length"] == str(len(answer.content))
    assert len(answer.content) > 1000

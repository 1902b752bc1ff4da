"""The yardstick: a FastAPI route with the models of closing a task that does nothing at all.

With BENCH_TOKEN it compares a constant token, as a service without a door of its own would.
"""

import os
from hmac import compare_digest
from typing import Annotated

from fastapi import FastAPI, Header, HTTPException

from contracts.commands import CloseTaskBody
from contracts.envelope import BalanceAfter, Recorded, RecordedEvent
from contracts.quantities import AccountId, IdempotencyKey, TaskId, parse_instant

NOTHING = Recorded(
    account_id="a",
    version=1,
    position=1,
    events=(
        RecordedEvent(
            position=1,
            event_id="00000000-0000-0000-0000-000000000000",
            account_id="a",
            version=1,
            type="TaskClosed",
            schema_version=1,
            recorded_at=parse_instant("2026-03-01T12:00:00Z"),
            data={
                "effective_at": "2026-03-01T12:00:00Z", "booking_month": "2026-03", "task_id": "T-1", "closure": 1,
                "title": "Настройка прав доступа", "category": "regular", "worked_minutes": 10, "coefficient": "1",
                "charged_minutes": 10, "owed_minutes": 0,
                "draws": [{"lot_id": "spring", "minutes": 10, "amount_kopecks": 43167, "released": False}],
            },
        ),
    ),
    balance=BalanceAfter(
        balance_minutes=0, held_minutes=0, owed_minutes=0, planned_minutes=0, available_minutes=0, suspended=False
    ),
)  # fmt: skip


def create_app() -> FastAPI:
    """The application, for uvicorn."""
    app, token = FastAPI(), os.environ.get("BENCH_TOKEN")

    @app.post("/v1/accounts/{account_id}/tasks/{task_id}/close", status_code=201)
    async def close_task(
        account_id: AccountId,
        task_id: TaskId,
        body: CloseTaskBody,
        key: Annotated[IdempotencyKey, Header(alias="Idempotency-Key")],
        authorization: Annotated[str, Header()] = "",
    ) -> Recorded:
        if token and not compare_digest(authorization.encode(), f"Bearer {token}".encode()):
            raise HTTPException(401)
        return NOTHING

    return app

"""A receiver of webhooks, as a customer of ours would have one: it verifies with an independent library."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response
from standardwebhooks.webhooks import Webhook

from tests.ledger.serving import serving

SECRET = "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@dataclass
class Receiver:
    """What it received and, of that, what it accepted, by the changes' numbers; `refuses` decides each time."""

    refuses: Callable[[int], bool] = lambda _: False
    url: str = ""
    received: list[dict[str, Any]] = field(default_factory=list)
    ids: dict[int, set[str]] = field(default_factory=dict)
    accepted: Counter[int] = field(default_factory=Counter)
    holding: asyncio.Event | None = None

    def app(self) -> FastAPI:
        """Answers 500 to what it refuses."""
        app = FastAPI()

        @app.post("/hook")
        async def hook(request: Request) -> Response:
            body = await request.body()
            change = Webhook(SECRET).verify(body, dict(request.headers))
            assert change == orjson.loads(body)
            number = change["number"]
            self.received.append(change)
            self.ids.setdefault(number, set()).add(request.headers["webhook-id"])
            if self.holding:
                await self.holding.wait()
            if self.refuses(number):
                return Response(status_code=500)
            self.accepted[number] += 1
            return Response(status_code=204)

        @app.post("/elsewhere")
        async def elsewhere() -> Response:
            return Response(status_code=307, headers={"Location": f"{self.url}/hook"})

        return app


@asynccontextmanager
async def receiving(refuses: Callable[[int], bool] = lambda _: False) -> AsyncIterator[Receiver]:
    """One at work."""
    receiver = Receiver(refuses)
    async with serving(receiver.app) as receiver.url:
        yield receiver

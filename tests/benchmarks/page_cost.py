"""What pages cost by themselves: processor time, without the routes that they ask.

    python page_cost.py API_URL REQUESTS PAGE...

What the routes answer is asked once, of another process, and then said again from memory by an application in the place
of the real one, reached as the pages reach that. Prints one JSON object: for each page the 95th percentile of so many
requests, in milliseconds.
"""

import json
import sys
import time

import httpx
import uvloop
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from services.pages.settings import PagesSettings
from services.pages.site import Site
from services.process.serving import collect_garbage_seldom

WARM_UP_REQUESTS = 10


class Echo:
    """An application that says what the API of another process answered to the same question."""

    def __init__(self, url: str) -> None:
        self._http = httpx.AsyncClient(base_url=url, timeout=60, trust_env=False)
        self._said: dict[str, httpx.Response] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = Request(scope).url.path + f"?{scope['query_string'].decode()}"
        if asked not in self._said:
            self._said[asked] = await self._http.get(asked)
        said = self._said[asked]
        answer = Response(said.content, said.status_code, media_type=said.headers["Content-Type"])
        await answer(scope, receive, send)


async def measure(url: str, requests: int, pages: list[str]) -> dict[str, float]:
    """Each page in turn, one request after another."""
    routes = httpx.ASGITransport(Echo(url))
    site = Site(lambda _: routes, PagesSettings())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(site), base_url="https://pages", timeout=60) as client:
        return {page: await _cost(client, page, requests) for page in pages}


async def _cost(client: httpx.AsyncClient, page: str, requests: int) -> float:
    took: list[float] = []
    for _ in range(WARM_UP_REQUESTS + requests):
        began = time.process_time()
        (await client.get(page)).raise_for_status()
        took.append((time.process_time() - began) * 1000)
    return sorted(took[WARM_UP_REQUESTS:])[requests * 95 // 100]


if __name__ == "__main__":
    _, api_url, count, *asked = sys.argv
    collect_garbage_seldom()
    print(json.dumps(uvloop.run(measure(api_url, int(count), asked))))

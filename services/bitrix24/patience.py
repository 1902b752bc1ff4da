"""Hourbook asked by a connector that waits where it is told to: every question of it may be put again."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx

BUSY = (httpx.codes.TOO_MANY_REQUESTS, httpx.codes.SERVICE_UNAVAILABLE)
TRIES_MAX = 15
REST_SECONDS_MAX = 30.0


async def answered(
    client: httpx.AsyncClient,
    method: str,
    url: str,
    rest: Callable[[float], Awaitable[object]] = asyncio.sleep,
    **asked: Any,
) -> httpx.Response:
    """The answer, asked again while Hourbook is busy, after as long as it says; the last one where it stays busy.

    Commands have keys of their own, so that one which was recorded before the answer was lost counts once.
    """
    answer = await client.request(method, url, **asked)
    for _ in range(TRIES_MAX - 1):
        if answer.status_code not in BUSY:
            break
        await rest(rest_seconds(answer))
        answer = await client.request(method, url, **asked)
    return answer


def rest_seconds(answer: httpx.Response) -> float:
    """How long Hourbook says to wait; a second where it does not say, and never more than half a minute."""
    told = answer.headers.get("Retry-After", "")
    return min(float(told), REST_SECONDS_MAX) if told.isascii() and told.isdecimal() else 1.0

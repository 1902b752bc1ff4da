"""A service behind a real HTTP server, in the test's own loop."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import uvicorn
from fastapi import FastAPI

from services.process.serving import HTTP, listening


@asynccontextmanager
async def serving(create_app: Callable[[], FastAPI], port: int = 0) -> AsyncIterator[str]:
    """The address of the running application, at that port or at any."""
    taken = listening(port)
    server = uvicorn.Server(uvicorn.Config(create_app, factory=True, log_level="error", **HTTP))
    running = asyncio.create_task(server.serve([taken]))
    try:
        while not server.started:
            await asyncio.wait([running], timeout=0.005)
            assert not running.done(), running.result()
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"
    finally:
        server.should_exit = True
        await running

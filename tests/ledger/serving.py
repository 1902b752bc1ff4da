"""A service behind a real HTTP server, in the test's own loop."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import uvicorn
from fastapi import FastAPI


@asynccontextmanager
async def serving(create_app: Callable[[], FastAPI]) -> AsyncIterator[str]:
    """The address of the running application."""
    config = uvicorn.Config(
        create_app, factory=True, port=0, http="httptools", access_log=False, log_level="error",
        timeout_graceful_shutdown=1,
    )  # fmt: skip
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    try:
        while not server.started:
            await asyncio.wait([running], timeout=0.005)
            assert not running.done(), running.result()
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await running

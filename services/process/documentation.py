"""The page that shows the OpenAPI document, and the AsyncAPI document: everything comes from this address alone."""

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from fastapi import APIRouter
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, RedirectResponse, Response

from services.process.asyncapi import asyncapi
from services.process.problem_responses import ProblemError

POLICY = {"Content-Security-Policy": "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'"}
ASSETS = ("swagger-ui-bundle.js", "swagger-ui.css", "favicon.png")
START_FILE = "start.js"
"""A file of its own: the policy allows no script inside a page."""

START = """
SwaggerUIBundle({
  url: "openapi.json", dom_id: "#swagger-ui", deepLinking: true, validatorUrl: null, displayRequestDuration: true,
  presets: [SwaggerUIBundle.presets.apis], layout: "BaseLayout",
});
"""

PAGE = f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Hourbook</title>
<link rel="icon" href="docs/favicon.png">
<link rel="stylesheet" href="docs/swagger-ui.css">
<main id="swagger-ui"></main>
<footer class="swagger-ui"><p class="wrapper">
Events on JetStream: <a href="asyncapi.json">asyncapi.json</a>.
What each problem means: <a href="problems">problems</a>.
</p></footer>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/{START_FILE}"></script>
</html>
"""

router = APIRouter(include_in_schema=False)


@cache
def _folder() -> Path:
    """Swagger UI as the package `fastapi-offline` has it."""
    spec = find_spec("fastapi_offline")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "static"


@router.get("/")
async def show_front_page() -> Response:
    """The front page is the documentation."""
    return RedirectResponse("docs")


@router.get("/docs")
async def show_documentation() -> Response:
    """The OpenAPI document to read and to try."""
    return HTMLResponse(PAGE, headers=POLICY)


@router.get("/docs/{file}")
async def get_asset(file: str) -> Response:
    """A part of the page."""
    if file == START_FILE:
        return Response(START, media_type="text/javascript")
    if file not in ASSETS:
        raise ProblemError("not-found", "The documentation has no such part. GET /docs shows it.")
    return FileResponse(_folder() / file)


@router.get("/asyncapi.json")
async def get_asyncapi() -> Response:
    """What travels on JetStream."""
    return JSONResponse(_asyncapi())


@cache
def _asyncapi() -> dict[str, Any]:
    return asyncapi()
